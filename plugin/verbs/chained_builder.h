// Converts the request of a chained plugin to an Attachment; prevResult describes what the plugins before it have
// created.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// False if the plugin has nothing to configure: then ADD returns the previous result and writes no record.
bool hasWork(const cni::Request& request);

/// Requires request.previous and host.container. Called under the host lock by Ledger::claim(); if
/// tuning sets a MAC, it also locks the record of the network's own attachment. EINVAL if the MAC contradicts the spoof
/// guard of the network, or a rate limit is set and the interface is no veth.
netlib::Result<Attachment> chainedAttachmentFor(const cni::Request& request, NetnsId netns, Host& host);

/// The previous result with this plugin's changes.
cni::AddResult describeChained(const cni::Request& request);

}  // namespace pons
