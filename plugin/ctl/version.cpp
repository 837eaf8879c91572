#include "plugin/cni/applet.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"

namespace pons::tools {

Answer version(const Arguments& arguments) {
  if (!arguments.json) return {0, cni::aboutText(cni::Applet::Pons), {}};
  json::Writer writer{json::Style::Indented};
  writer.beginObject().member("version", cni::release()).key("cniVersions").beginArray();
  for (const std::string_view version : cni::versionsFrom(cni::oldestVersionOf(cni::Applet::Pons))) {
    writer.value(version);
  }
  writer.endArray().endObject();
  return documentOf(writer);
}

}  // namespace pons::tools
