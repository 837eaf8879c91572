// Attachments in the JSON of several commands.
#pragma once

#include "plugin/ctl/stock.h"
#include "plugin/json/json.h"

namespace pons::tools {

/// The members of an item, for an object that has been begun: its key, "health", "ageSeconds", "faults"; and as far as
/// its record can be read "bridge", "hostInterface", "netns", "addresses", "ports".
void writeItem(json::Writer& writer, const Item& item);

}  // namespace pons::tools
