// For what the kernel does some time after it was asked.
#pragma once

#include <chrono>
#include <thread>

namespace support {

/// False where the condition does not become true within seconds. It is asked once a millisecond.
template <class Condition>
bool eventually(Condition condition, std::chrono::seconds patience = std::chrono::seconds{5}) {
  using namespace std::chrono_literals;
  const auto giveUp = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > giveUp) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

}  // namespace support
