// From a chained plugin's request to its Attachment: what the plugins before it made is in the previous result.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// Whether there is anything to do; where not, the previous result is passed on and nothing is written down.
bool hasWork(const cni::Request& request);

/// The request has a previous result, and host.container is open.
netlib::Result<Attachment> chainedAttachmentFor(const cni::Request& request, NetnsId netns, Host& host);

/// The previous result, with what this plugin changed in it.
cni::AddResult describeChained(const cni::Request& request);

}  // namespace pons
