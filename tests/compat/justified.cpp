#include "tests/compat/justified.h"

namespace support {

const std::vector<Justified>& knownDifferences() {
  static const std::vector<Justified> known{
      {R"(\+ host <link [01]> 0\.ifalias = pons .*)", "the alias has the owner of a link, for GC and administrators"},
      {R"(\+ (host|container) <link [12]> 0\.txqlen = 1000)", "the kernel's default; the reference sets it to none"},
      {R"([-+] (host <link 1>|container <link 2>) 0\.num_[rt]x_queues = \d+)",
       "a queue for each processor makes a veth dear, and only XDP and GRO in the veth itself would use them"},
      {R"([-+] container lo (0\.(qdisc|flags\.[12])|address) = .*)", "lo is up without the plugin loopback, too"},
      {R"([-+] host <link 0> ipv6 accept_dad = [01])",
       "the bridge's link-local address is of use at once: until then nothing from outside finds the first container"},
      {R"([-+] container <link 2> ipv6 accept_dad = [01])",
       "left alone where the container has no IPv6 address; where it has one it is as the reference has it"},
      {R"([-+] container <link 2> ipv6 ndisc_notify = [01])", "neighbours learn the container's addresses at once"},
      {R"([-+] container <link 2> ipv6 keep_addr_on_down = [01])", "as the reference has it since 1.7"},
      {R"([-+] host <link 1> ipv6 accept_ra = [01])",
       "what arrives at a port goes to its bridge, never to the port's own protocols; the bridge has accept_ra 0"},
      {R"([-+] host <link 1> (0\.inet6_addr_gen_mode|ipv6 addr_gen_mode) = (eui64|none|[01]))",
       "a port of the bridge needs no address of its own, and thousands of them slow the kernel down"},
      {R"([-+] (host <link 0>|container <link 2>) address = \S+ inet6 .* (nodad )?\\ valid_lft forever .*)",
       "usable at once (IFA_F_NODAD), where the reference waits or has the kernel detect duplicates"},
      {R"(- CHECK = 1 could not check ipv6 dnat: [\s\S]*)",
       "CHECK of the reference's portmap fails for an IPv4-only port"},
      {R"(\+ CHECK = 0)", "the same"},
      {R"(- traffic container to (gateway|outside) \(IPv6\) = nothing)",
       "the reference's bridge has no link-local address yet, and sends no neighbour solicitation"},
      {R"(\+ traffic container to (gateway|outside) \(IPv6\) = (near \S+|far 2001:db8:1::1))", "the same"},
  };
  return known;
}

}  // namespace support
