// pons doctor: what on this host is in the way of containers, and what to do about it.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/screen.h"

namespace pons::tools {

enum class Verdict : unsigned char {
  Fault,    ///< containers are hurt, or no ADD can be served
  Warning,  ///< that may come
  Note,     ///< worth to be known
  Fine,
};

struct Diagnosis {
  Verdict verdict;
  std::string area;  ///< "kernel", "settings", "firewall", "records", "networks", "managers"
  std::string what;
  std::string remedy = {};
};
using Diagnoses = std::vector<Diagnosis>;

/// The worst first.
std::string doctorText(Diagnoses diagnoses, const Screen& screen);
std::string doctorJson(Diagnoses diagnoses);

}  // namespace pons::tools
