#include "plugin/cni/applet.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/json_output.h"

namespace pons::ctl {

Answer version(const Arguments& arguments) {
  if (!arguments.json) return {0, cni::aboutText(cni::Applet::Pons), {}};
  const auto write = [](json::Writer& writer) {
    std::vector<std::string> versions;
    for (const std::string_view one : cni::versionsFrom(cni::oldestVersionOf(cni::Applet::Pons))) {
      versions.emplace_back(one);
    }
    writer.member("version", cni::release());
    writeStrings(writer, "cniVersions", versions);
  };
  return {0, jsonDocument(write), {}};
}

}  // namespace pons::ctl
