// Network configurations of the runtimes, as they come with them, and what pons offers in their place.
#pragma once

namespace support {

/// containerd's own, from its script/setup/install-cni, with the plugin that Kubernetes' documents add.
inline constexpr const char* kContainerdChain = R"({
  "cniVersion": "1.0.0",
  "name": "containerd-net",
  "plugins": [
    {
      "type": "bridge",
      "bridge": "cni0",
      "isGateway": true,
      "ipMasq": true,
      "promiscMode": true,
      "ipam": {
        "type": "host-local",
        "ranges": [
          [{
            "subnet": "10.88.0.0/16"
          }],
          [{
            "subnet": "2001:4860:4860::/64"
          }]
        ],
        "routes": [
          { "dst": "0.0.0.0/0" },
          { "dst": "::/0" }
        ]
      }
    },
    {
      "type": "portmap",
      "capabilities": {"portMappings": true}
    },
    {
      "type": "bandwidth",
      "capabilities": {"bandwidth": true}
    }
  ]
}
)";

/// The same network of one plugin. Runtimes that know version 1.1.0 take that one.
inline constexpr const char* kOnePlugin = R"({
  "cniVersion": "1.0.0",
  "cniVersions": ["1.0.0", "1.1.0"],
  "name": "one-plugin",
  "plugins": [
    {
      "type": "pons",
      "ipam": {"ranges": [[{"subnet": "10.88.0.0/16"}], [{"subnet": "2001:4860:4860::/64"}]]},
      "capabilities": {"portMappings": true, "bandwidth": true}
    }
  ]
}
)";

}  // namespace support
