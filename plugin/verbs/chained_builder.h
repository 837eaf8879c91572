// Converts the request of a chained plugin to an Attachment; prevResult describes what the plugins before it have
// created.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// False if the plugin has nothing to configure: then ADD returns the previous result and writes no record.
bool hasWork(const cni::Request& request);

/// Requires request.previous and host.container. Asks the kernel and, without its lock, the record of the network's own
/// attachment: to be called before locks are taken. Invalid if the MAC contradicts the spoof guard of the network, or a
/// rate limit is set and the interface is no veth; Damaged if it cannot be known whether there is a spoof guard.
netlib::Result<Attachment> chainedAttachmentFor(const cni::Request& request, NetnsId netns, Host& host);

/// The previous result with this plugin's changes.
cni::AddResult describeChained(const cni::Request& request);

}  // namespace pons
