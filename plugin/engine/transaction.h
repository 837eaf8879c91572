// The way back: what DEL does with a whole plan, and a failed ADD with the part of it that was applied.
#pragma once

#include <vector>

#include "plugin/engine/plan.h"

namespace pons {

/// Undoes the steps backwards, a shared one only as its last holder, and then gives up everything that the record
/// claims. Goes on after a failure and reports them all; the record then stays, so that another DEL can finish.
netlib::Result<> takeAway(Host& host, Record& record, const std::vector<const Step*>& steps);

/// The same for a whole plan.
netlib::Result<> takeAway(Host& host, Record& record, const Plan& plan);

/// The steps of an ADD. What was applied is taken away again when this object goes, unless it was told to keep it.
class Transaction {
 public:
  /// All three must live longer.
  Transaction(Host& host, Record& record, const Plan& plan);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// A step of the plan. One of this attachment alone counts for the way back only once it succeeded: undoing one that
  /// failed on somebody else's object would destroy his. One that comes with the claim counts from there on:
  /// whoever leaves meanwhile finds our hold on a shared state, and leaves it to us.
  netlib::Result<> apply(const Step& step);

  void keep() { kept_ = true; }

 private:
  void rollBack();

  Host& host_;
  Record& record_;
  const Plan& plan_;
  std::vector<const Step*> applied_;
  bool kept_ = false;
};

}  // namespace pons
