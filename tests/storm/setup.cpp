#include "tests/storm/setup.h"

#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "netlib/base/unique_fd.h"

namespace storm {

void note(const char* file, const std::string& line) {
  const netlib::UniqueFd fd{open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  const std::string text = line + "\n";
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

std::string configOf(const Network& network, const std::string& more) {
  const std::string name = network.name;
  return R"({"cniVersion": "1.1.0", "type": "pons", "logLevel": "off", "name": ")" + name + R"(", "bridge": "pons-)" +
         name + R"(", "ipam": )" + network.ipam + (more.empty() ? "" : ", " + more) + "}";
}

}  // namespace storm
