// What several commands share.
#pragma once

#include <optional>
#include <string>

#include "plugin/context/context.h"
#include "plugin/ctl/arguments.h"
#include "plugin/json/json.h"
#include "plugin/verbs/serve.h"

namespace pons::tools {

/// The host as it is; nothing where pons has no state directory, and so nothing on record. A state directory of an
/// earlier boot is an error (ESTALE).
netlib::Result<std::optional<Host>> openHost(const Arguments& arguments);

/// One of sharedStatesOf().
bool has(const Attachment& attachment, const std::string& hold);

/// A command that could not do its work.
Answer failure(std::string_view command, const netlib::Error& error);

/// The members by which an attachment is known: "network", "container", "interface", and "plugin" of a chained part.
void writeKey(json::Writer& writer, const AttachmentKey& key);

/// The finished document.
Answer documentOf(const json::Writer& writer, int exitCode = 0);

}  // namespace pons::tools
