#include "plugin/ctl/node_api.h"

#include <algorithm>
#include <iterator>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "netlib/base/unique_fd.h"
#include "netlib/base/utf8.h"
#include "netlib/os/file.h"

#include "plugin/json/json.h"

namespace pons::ctl {

namespace {

using netlib::Cause;

constexpr std::size_t kMaxAnswer = std::size_t{4} << 20;
constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};

/// A DNS subdomain (RFC 1123), which has no character with a meaning in a URL.
bool isNodeName(const std::string& name) {
  const auto isAllowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 253 && name.front() != '.' && std::ranges::all_of(name, isAllowed);
}

netlib::Result<netlib::UniqueFd> connectedTo(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof to.sun_path)
    return netlib::fail(Cause::Invalid, "the path is too long for a socket: " + path);
  std::ranges::copy(path, std::begin(to.sun_path));
  netlib::UniqueFd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd) return netlib::failErrno("create a socket");
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    setsockopt(fd.get(), SOL_SOCKET, option, &kPatience, sizeof kPatience);
  }
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return netlib::failErrno("connect to " + path);
  }
  return fd;
}

/// The body of the answer to a GET. By HTTP/1.0 it is in one piece and ends with the connection (RFC 1945).
netlib::Result<std::string> get(const std::string& url, const std::string& path) {
  const netlib::UniqueFd fd = TRY(connectedTo(path));
  TRY(netlib::writeAll(fd.get(), "GET " + url + " HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n",
                       path));
  const std::string answer = TRY(netlib::readAll(fd.get(), kMaxAnswer, path));
  const std::string status = answer.substr(0, answer.find("\r\n"));
  const std::size_t head = answer.find("\r\n\r\n");
  if (!status.starts_with("HTTP/1.") || head == std::string::npos) {
    return netlib::fail(Cause::Damaged, "no HTTP at " + path);
  }
  if (status.find(" 200") != std::string_view{"HTTP/1.x"}.size()) {
    return netlib::fail(Cause::Program, "GET " + url + ": " + netlib::printable(status));
  }
  return answer.substr(head + std::string_view{"\r\n\r\n"}.size());
}

std::vector<std::string> cidrsIn(const json::Value& spec) {
  std::vector<std::string> cidrs;
  for (const json::Value& cidr : spec["podCIDRs"].items()) cidrs.emplace_back(cidr.string().value_or(""));
  if (cidrs.empty()) cidrs.emplace_back(spec["podCIDR"].string().value_or(""));
  std::erase(cidrs, "");
  return cidrs;
}

}  // namespace

netlib::Result<std::vector<std::string>> podCidrsOf(const std::string& node, const std::string& socket) {
  if (!isNodeName(node)) return netlib::fail(Cause::Invalid, "no name of a node: \"" + netlib::printable(node) + "\"");
  const std::string body = TRY(get("/api/v1/nodes/" + node, socket));
  const auto document = TRY(json::Document::parse(body));
  auto cidrs = cidrsIn(document["spec"]);
  if (cidrs.empty()) {
    return netlib::fail(Cause::Missing, "node " + node +
                                            " has no pod CIDRs: does kube-controller-manager run with "
                                            "--allocate-node-cidrs?");
  }
  return cidrs;
}

}  // namespace pons::ctl
