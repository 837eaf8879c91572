// The verbs of CNI, each a few lines over the plan.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// Attaches the container, or leaves the host as it was. The answer is the result in the request's version.
cni::Result<std::string> add(const cni::Request& asked, Host& host);

/// Takes the attachment away. What is gone already is fine, and so is an attachment that nobody knows.
cni::Result<> del(const cni::Request& request, Host& host);

/// Verifies every step and the previous result against what is there; changes nothing.
cni::Result<> check(const cni::Request& request, Host& host);

}  // namespace pons
