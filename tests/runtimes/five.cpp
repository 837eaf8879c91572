#include "tests/runtimes/five.h"

#include <iterator>
#include <list>
#include <optional>

#include <doctest/doctest.h>

namespace support {
namespace {

constexpr const char* kHost = "192.0.2.1";

/// A guest while it is there. By UDP the test answers in its place, as the image cannot.
struct Visit {
  Guest guest;
  std::optional<Server> udp;
  bool isThere = true;

  Visit(const Guest& which, const Place& place) : guest(which) {
    if (guest.hasUdp) udp.emplace(place, Transport::Udp, endpoint("0.0.0.0", 53), guest.name);
  }
};

void checkAnswers(const Machine& machine, const Guest& guest) {
  CHECK(answerOf(machine.outside(), endpoint(kHost, guest.hostPort)) == guest.name);
  CHECK(answerOf(machine.outside(), endpoint("2001:db8:1::1", guest.hostPort)) == guest.name);
  CHECK(answerOf(kHere, endpoint("127.0.0.1", guest.hostPort)) == guest.name);
  if (!guest.hasUdp) return;
  const auto answer = ask(machine.outside(), Transport::Udp, endpoint(kHost, guest.hostPort));
  CHECK(answer == guest.name + " 192.0.2.2");
}

void checkClosed(const Machine& machine, const Guest& guest) {
  const AskOptions quickly{.source = {}, .timeout = std::chrono::milliseconds{200}};
  for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
    CHECK(!ask(machine.outside(), transport, endpoint(kHost, guest.hostPort), quickly));
  }
}

void checkAll(const Machine& machine, const std::list<Visit>& visits) {
  for (const Visit& visit : visits) {
    CAPTURE(visit.guest.name);
    visit.isThere ? checkAnswers(machine, visit.guest) : checkClosed(machine, visit.guest);
  }
}

}  // namespace

std::vector<Guest> fiveGuests() {
  return {{"web1", 8101, true},
          {"web2", 8102, false},
          {"web3", 8103, true},
          {"web4", 8104, false},
          {"web5", 8105, false}};
}

void checkFive(const Machine& machine, const StartAll& startAll, const Stop& stop) {
  const std::string before = machine.state();
  const std::vector<Guest> guests = fiveGuests();
  const std::vector<Place> places = startAll(guests);
  REQUIRE(places.size() == guests.size());
  std::list<Visit> visits;
  for (std::size_t i = 0; i < guests.size(); ++i) visits.emplace_back(guests[i], places[i]);
  checkAll(machine, visits);
  for (const std::size_t index : {2U, 0U, 4U, 1U, 3U}) {
    INFO("after the end of ", guests[index].name);
    Visit& visit = *std::next(visits.begin(), static_cast<std::ptrdiff_t>(index));
    // Or it would keep the namespace.
    visit.udp.reset();
    stop(index);
    visit.isThere = false;
    checkAll(machine, visits);
  }
  checkNothingLeft(machine, before);
}

}  // namespace support
