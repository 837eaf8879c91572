// ponsctl doctor: configurations of other networks beside those of pons.
#include "tests/tools/doctor_run.h"

using namespace support;

namespace {

constexpr const char* kWhat = " sorts before ";

void writeOther(const std::string& file) {
  write("/run/net.d/" + file, R"({"cniVersion": "1.0.0", "name": "k8s", "plugins": [{"type": "calico"}]})");
}

}  // namespace

TEST_CASE("On a host: ponsctl doctor notes a network of another program that sorts before those of pons") {
  REQUIRE_FAKE_HOST(host);
  writeOther("05-calico.conflist");
  CHECK(Findings{}.with(kWhat).verdict == "");  // without a network of pons
  configured("demo", R"("ipam": {"subnet": "10.42.0.0/24"})");
  configured("later", R"("ipam": {"subnet": "10.43.0.0/24"})");
  const Findings found;
  const auto finding = found.with("/run/net.d/05-calico.conflist (network k8s, type calico)" + std::string{kWhat} +
                                  "/run/net.d/demo.conf: ");
  CHECK_MESSAGE(finding.verdict == "note", found.text());
  CHECK(finding.id == "other-network-first");
  CHECK(found.ok());
  std::filesystem::rename("/run/net.d/05-calico.conflist", "/run/net.d/x-calico.conflist");
  CHECK(Findings{}.with(kWhat).verdict == "");
  write("/run/net.d/05-broken.conflist", "{");  // no runtime can use it
  CHECK(Findings{}.with(kWhat).verdict == "");
}
