#include "netlib/os/sysctl.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/support/fake_host.h"

using namespace support;
namespace sysctl = netlib::sysctl;

TEST_CASE("A parameter is read without its newline and written in this namespace alone") {
  REQUIRE_FAKE_HOST(host);
  const std::string other = host.addNamespace("c1");
  REQUIRE(sysctl::write("net/ipv4/ip_forward", "0").ok());
  REQUIRE(sysctl::write("net/ipv4/ip_forward", "1").ok());
  CHECK(sysctl::read("net/ipv4/ip_forward").value() == "1");
  REQUIRE(host.inside(other, [] { return sysctl::write("net/ipv4/ip_forward", "0"); }).ok());
  CHECK(host.inside(other, [] { return sysctl::read("net/ipv4/ip_forward"); }).value() == "0");
  CHECK(sysctl::read("net/ipv4/ip_forward").value() == "1");
}

TEST_CASE("White space inside a value stays") {
  REQUIRE_FAKE_HOST(host);
  REQUIRE(sysctl::write("net/ipv4/ip_local_port_range", "40000 40100").ok());
  CHECK(sysctl::read("net/ipv4/ip_local_port_range").value() == "40000\t40100");
}

TEST_CASE("Interfaces with dots in their names have parameters, and are listed") {
  REQUIRE_FAKE_HOST(host);
  outputOf({"ip", "link", "add", "eth0.100", "type", "bridge"});
  const auto name = netlib::IfName::parse("eth0.100").value();
  const std::string parameter = sysctl::ofInterface(netlib::Family::Ipv4, name, "route_localnet");
  CHECK(parameter == "net/ipv4/conf/eth0.100/route_localnet");
  REQUIRE(sysctl::write(parameter, "1").ok());
  CHECK(sysctl::read(parameter).value() == "1");
  CHECK(sysctl::read(sysctl::ofInterface(netlib::Family::Ipv6, name, "accept_ra")).ok());

  const auto interfaces = sysctl::entries("net/ipv4/conf");
  REQUIRE(interfaces.ok());
  CHECK(*interfaces == std::vector<std::string>{"all", "default", "eth0.100", "lo"});
}

TEST_CASE("A parameter that the kernel does not have is ENOENT and is named") {
  const auto missing = sysctl::read("net/ipv7/conf/all/forwarding");
  REQUIRE(missing.failedWith(ENOENT));
  CHECK(missing.error().message.find("net/ipv7/conf/all/forwarding") != std::string::npos);
  CHECK(sysctl::write("net/ipv7/conf/all/forwarding", "1").failedWith(ENOENT));
  CHECK(sysctl::entries("net/ipv7/conf").failedWith(ENOENT));
}

TEST_CASE("A value that the kernel refuses is EINVAL, with parameter and value in the message") {
  REQUIRE_FAKE_HOST(host);
  const auto refused = sysctl::write("net/ipv4/ip_forward", "maybe");
  REQUIRE(refused.failedWith(EINVAL));
  CHECK(refused.error().message.find("net/ipv4/ip_forward") != std::string::npos);
  CHECK(refused.error().message.find("maybe") != std::string::npos);
}

TEST_CASE("What cannot be set is no error where it is as wanted, and otherwise names both values") {
  REQUIRE_FAKE_HOST(host);
  REQUIRE(sysctl::write("net/ipv4/ip_forward", "0").ok());
  REQUIRE(sysctl::write("net/ipv4/ip_local_port_range", "40000 40100").ok());
  outputOf({"sh", "-ec", "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys"});
  CHECK(sysctl::write("net/ipv4/ip_forward", "0").ok());
  CHECK(sysctl::write("net/ipv4/ip_local_port_range", "40000 40100").ok());
  const auto refused = sysctl::write("net/ipv4/ip_forward", "1");
  REQUIRE(refused.failedWith(EROFS));
  CHECK(sysctl::isUnsettable(refused));
  CHECK(refused.error().message ==
        "net.ipv4.ip_forward is 0 and /proc/sys is read-only: set it to 1 outside of this container");
  const auto missing = sysctl::write("net/ipv7/forwarding", "1");
  CHECK(missing.failedWith(ENOENT));
  CHECK_FALSE(sysctl::isUnsettable(missing));
  outputOf({"umount", "/proc/sys"});
  CHECK(sysctl::write("net/ipv4/ip_forward", "1").ok());

  // Nobody may write it.
  const std::string boot = sysctl::read("kernel/random/boot_id").value();
  CHECK(sysctl::write("kernel/random/boot_id", boot).ok());
  const auto denied = sysctl::write("kernel/random/boot_id", "x");
  CHECK(sysctl::isUnsettable(denied));
  CHECK(denied.error().message.find("kernel.random.boot_id is " + boot) == 0);
}

TEST_CASE("No name leads out of /proc/sys") {
  for (const std::string name :
       {"", "..", "../version", "net/../../version", "net/./core", "net//core", "/etc/hostname", "net/ipv4/"}) {
    CAPTURE(name);
    CHECK(sysctl::read(name).failedWith(netlib::Cause::Invalid));
    CHECK(sysctl::write(name, "1").failedWith(netlib::Cause::Invalid));
    CHECK(sysctl::entries(name).failedWith(netlib::Cause::Invalid));
  }
  CHECK(sysctl::read(std::string("net\0/x", 6)).failedWith(netlib::Cause::Invalid));
}
