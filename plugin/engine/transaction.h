// Rollback of a failed ADD and teardown by DEL: the same code, for a part of the plan and for all of it.
#pragma once

#include <vector>

#include "plugin/engine/plan.h"

namespace pons {

/// Undoes the steps backwards, a shared state only where it is the last reference, and then releases everything that
/// the record has reserved. Takes the host lock, which the caller must not hold. Continues after an error and reports
/// them all; the record then stays, so that another DEL can finish.
netlib::Result<> teardown(Host& host, Record& record, const std::vector<const Step*>& steps);

/// The same for a whole plan.
netlib::Result<> teardown(Host& host, Record& record, const Plan& plan);

/// The steps of an ADD. The destructor rolls back what was applied, unless keep() was called.
class Transaction {
 public:
  /// All three must outlive this object.
  Transaction(Host& host, Record& record, const Plan& plan);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// A step of the plan. It is rolled back even if it failed, as the kernel may have executed a request whose answer
  /// was lost; but not one of this attachment alone that failed with InUse: that would destroy a foreign object. One
  /// that comes with the claim is rolled back in any case: another attachment that leaves meanwhile sees our reference,
  /// and leaves the shared state to us.
  netlib::Result<> apply(const Step& step);

  /// Calls Host::beforeStep; add() does before it commits the record.
  netlib::Result<> before(std::string_view stepName);

  void keep() { kept_ = true; }

 private:
  void rollBack();

  Host& host_;
  Record& record_;
  const Plan& plan_;
  std::vector<const Step*> begun_;  ///< to be undone
  bool kept_ = false;
};

}  // namespace pons
