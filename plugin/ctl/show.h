// ponsctl show: the attachments of one container and their state in the kernel.
#pragma once

#include "plugin/ctl/facts.h"

namespace pons::ctl {

struct Shown {
  AttachmentStatus status;
  Facts facts;
};

std::string showText(const std::vector<Shown>& shown, const Terminal& terminal);
std::string showJson(const std::vector<Shown>& shown);

}  // namespace pons::ctl
