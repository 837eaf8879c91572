// Parts of metricsOf().
#pragma once

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/metrics.h"
#include "plugin/ctl/networks.h"

namespace pons::ctl {

inline double numberOf(auto count) { return static_cast<double>(count); }

/// Interfaces by health, of each network every health; one of a chain of plugins has the first bad one, as in list.
Metric healthMetric(const std::vector<NetworkState>& networks, const Statuses& statuses);

/// What the doctor found; those of the ids that it did not find have no samples.
Metric findingsMetric(const CheckResults& results);

/// Of what the tables of pons denied, rejected and dropped.
netlib::Result<> addPackets(std::vector<Metric>& metrics, Host& host);

}  // namespace pons::ctl
