// The built program, called as a container runtime calls it, and what every answer of it has to be.
#pragma once

#include <string>
#include <vector>

#include "plugin/cni/error.h"
#include "plugin/json/json.h"

#include "tests/support/fake_host.h"
#include "tests/support/process.h"

namespace support {

/// The attachment of a call.
struct Subject {
  std::string container = "c1";
  std::string netns = "/run/netns/c1";
  std::string ifName = "eth0";
  std::string args = {};               ///< CNI_ARGS
  std::vector<std::string> more = {};  ///< further variables, each "NAME=value"
};

/// The variables of a call, each "NAME=value".
std::vector<std::string> environmentOf(const std::string& verb, const Subject& subject = {});

Outcome call(const std::string& verb, const std::string& config, const Subject& subject = {});
inline Outcome add(const std::string& config, const Subject& subject = {}) { return call("ADD", config, subject); }
inline Outcome check(const std::string& config, const Subject& subject = {}) { return call("CHECK", config, subject); }
inline Outcome del(const std::string& config, const Subject& subject = {}) { return call("DEL", config, subject); }

/// A configuration of that version with these members.
std::string configOf(const std::string& version, const std::string& members);
/// The same configuration with the "prevResult" that a runtime puts into it.
std::string withPrevious(const std::string& config, const std::string& result);

/// The standard output, which has to be exactly one JSON document; the test case ends where it is not.
pons::json::Document documentOf(const Outcome& outcome);
/// The result of an ADD that has to succeed.
pons::json::Document resultOf(const Outcome& outcome);
/// The text at a value; empty where there is none.
std::string textOf(const pons::json::Value& value);
/// The first address that a result names, without its prefix length.
std::string addressIn(const pons::json::Document& result);

/// Success without a word, as DEL and CHECK have it.
void checkSilent(const Outcome& outcome);
/// One error with that code, whose message or details hold each of the words.
void checkError(const Outcome& outcome, pons::cni::ErrorCode code, const std::vector<std::string>& words = {});

/// What the ledger in that state directory holds: everything but the lock and the top directories.
std::string ledgerText(const std::string& stateDir = "/run/pons");

/// Sees to it that the host is at the end of this object's life as it was at the beginning, the ledger included.
class Unchanged {
 public:
  explicit Unchanged(const FakeHost& host) : host_(host), before_(state()) {}
  ~Unchanged();
  Unchanged(const Unchanged&) = delete;
  Unchanged& operator=(const Unchanged&) = delete;

 private:
  std::string state() const { return host_.dump() + ledgerText(); }

  const FakeHost& host_;
  std::string before_;
};

}  // namespace support
