#include "netlib/rtnl/qdisc.h"

#include <algorithm>
#include <array>
#include <limits>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

namespace netlib::qdisc {

namespace {

/// Parent of ingress filters, both of an ingress and of a clsact qdisc.
constexpr std::uint32_t kIngress = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
constexpr std::uint32_t kIngressHandle = TC_H_MAKE(TC_H_INGRESS, 0U);

tcmsg infoOf(unsigned linkIndex, std::uint32_t parent, std::uint32_t handle = 0) {
  tcmsg info{};
  info.tcm_family = AF_UNSPEC;
  info.tcm_ifindex = static_cast<int>(linkIndex);
  info.tcm_parent = parent;
  info.tcm_handle = handle;
  return info;
}

std::uint32_t handleOf(Mark mark) { return std::uint32_t{mark} << 16U; }

/// A filter of that priority for packets of every protocol.
tcmsg filterOf(unsigned linkIndex, Mark priority) {
  tcmsg info = infoOf(linkIndex, kIngress);
  info.tcm_info = TC_H_MAKE(handleOf(priority), std::uint32_t{htons(ETH_P_ALL)});
  return info;
}

Mark priorityOf(const tcmsg& filter) { return static_cast<Mark>(TC_H_MAJ(filter.tcm_info) >> 16U); }

std::string on(unsigned linkIndex) { return " of link " + std::to_string(linkIndex); }

/// The transmission time in ticks of 64 ns (PSCHED_SHIFT).
std::uint32_t ticksFor(std::uint64_t bytes, std::uint64_t rate) {
  constexpr std::uint64_t kTicksPerSecond = 1'000'000'000 / 64;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(bytes * kTicksPerSecond / rate, std::numeric_limits<std::uint32_t>::max()));
}

/// The attributes that tc(8) sends. The kernel uses TCA_TBF_RATE64 and TCA_TBF_BURST (Linux 3.13) in place of rate and
/// buffer, but still requires the rate table.
void putTokenBucket(Batch& batch, const TokenBucket& bucket) {
  constexpr unsigned kCellLog = 3;  // 256 cells of 8 bytes: packets up to 2047 bytes
  constexpr std::uint64_t kMaxRate32 = std::numeric_limits<std::uint32_t>::max();
  tc_tbf_qopt options{};
  options.rate.cell_log = kCellLog;
  options.rate.linklayer = TC_LINKLAYER_ETHERNET;
  options.rate.cell_align = -1;
  options.rate.rate = static_cast<std::uint32_t>(std::min(bucket.rate, kMaxRate32));
  options.limit = bucket.limit;
  options.buffer = ticksFor(bucket.burst, bucket.rate);
  std::array<std::uint32_t, TC_RTAB_SIZE / sizeof(std::uint32_t)> times{};
  for (std::size_t cell = 0; cell < times.size(); ++cell) times[cell] = ticksFor((cell + 1) << kCellLog, bucket.rate);

  const auto nest = batch.nest(TCA_OPTIONS);
  batch.putStruct(TCA_TBF_PARMS, options);
  batch.putU32(TCA_TBF_BURST, bucket.burst);
  if (bucket.rate > kMaxRate32) batch.putStruct(TCA_TBF_RATE64, bucket.rate);
  batch.putStruct(TCA_TBF_RTAB, times);
}

void putMirred(Batch& batch, unsigned targetIndex) {
  tc_mirred redirect{};
  redirect.action = TC_ACT_STOLEN;
  redirect.eaction = TCA_EGRESS_REDIR;
  redirect.ifindex = targetIndex;
  constexpr unsigned kFirstAction = 1;
  const auto actions = batch.nest(TCA_U32_ACT);
  const auto action = batch.nest(kFirstAction);
  batch.putText(TCA_ACT_KIND, "mirred");
  const auto options = batch.nest(TCA_ACT_OPTIONS);
  batch.putStruct(TCA_MIRRED_PARMS, redirect);
}

/// The target of a u32 filter with action mirred; nothing for the hash table that a dump lists before it.
std::optional<unsigned> targetOf(const Message& message) {
  const Attributes action =
      message.attributes<tcmsg>().nested(TCA_OPTIONS).nested(TCA_U32_ACT).nested(1).nested(TCA_ACT_OPTIONS);
  const auto redirect = action.structure<tc_mirred>(TCA_MIRRED_PARMS);
  return redirect ? std::optional{redirect->ifindex} : std::nullopt;
}

Qdisc qdiscOf(const Message& message) {
  const Attributes attributes = message.attributes<tcmsg>();
  Qdisc qdisc;
  qdisc.kind = attributes.text(TCA_KIND).value_or("");
  qdisc.mark = static_cast<Mark>(TC_H_MAJ(message.family<tcmsg>().value_or(tcmsg{}).tcm_handle) >> 16U);
  if (qdisc.kind != "tbf") return qdisc;
  const Attributes bucket = attributes.nested(TCA_OPTIONS);
  if (const auto options = bucket.structure<tc_tbf_qopt>(TCA_TBF_PARMS)) {
    qdisc.rate = bucket.structure<std::uint64_t>(TCA_TBF_RATE64).value_or(options->rate.rate);
    qdisc.limit = options->limit;
  }
  return qdisc;
}

Result<std::optional<Qdisc>> find(Socket& socket, const tcmsg& where, const std::string& what) {
  Batch batch;
  // Without NLM_F_ECHO older kernels notify RTNLGRP_TC only. A dump would list the qdiscs of all links.
  batch.begin(RTM_GETQDISC, NLM_F_ECHO | NLM_F_ACK, where, "get " + what);
  const auto answers = TRY(socket.exchange(batch));
  const Answer& answer = answers.front();
  if (answer.error == ENOENT) return std::optional<Qdisc>{};
  if (answer.error != 0) return fail(errorOf(answer, batch.what(0)));
  for (const Message& message : answer.messages) {
    Qdisc qdisc = qdiscOf(message);
    if (qdisc.mark != 0) return std::optional{std::move(qdisc)};
  }
  return std::optional<Qdisc>{};
}

Result<std::vector<Message>> filters(Socket& socket, unsigned linkIndex) {
  Batch batch;
  batch.begin(RTM_GETTFILTER, NLM_F_DUMP | NLM_F_ACK, infoOf(linkIndex, kIngress), "list filters" + on(linkIndex));
  auto answers = TRY(socket.request(batch));
  return std::move(answers.front().messages);
}

/// EINVAL is a root qdisc with another handle, or a filter of a link without ingress qdisc: as much Missing as ENOENT.
Result<> remove(Socket& socket, Batch& batch) {
  const auto removed = socket.request(batch);
  if (removed) return {};
  const bool missing = removed.failedWith(EINVAL) || removed.failedWith(ENOENT);
  return missing ? fail(Cause::Missing, removed.error().message) : fail(removed.error());
}

}  // namespace

Result<std::optional<Qdisc>> findRoot(Socket& socket, unsigned linkIndex) {
  return find(socket, infoOf(linkIndex, TC_H_ROOT), "the root qdisc" + on(linkIndex));
}

Result<> createRoot(Socket& socket, unsigned linkIndex, Mark mark, const TokenBucket& bucket) {
  Batch batch;
  batch.begin(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, infoOf(linkIndex, TC_H_ROOT, handleOf(mark)),
              "create the tbf root qdisc" + on(linkIndex));
  batch.putText(TCA_KIND, "tbf");
  putTokenBucket(batch, bucket);
  TRY(socket.request(batch));
  return {};
}

Result<> removeRoot(Socket& socket, unsigned linkIndex, Mark mark) {
  Batch batch;
  batch.begin(RTM_DELQDISC, NLM_F_ACK, infoOf(linkIndex, TC_H_ROOT, handleOf(mark)),
              "delete the root qdisc" + on(linkIndex));
  return remove(socket, batch);
}

Result<> createIngress(Socket& socket, unsigned linkIndex) {
  Batch batch;
  batch.begin(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, infoOf(linkIndex, TC_H_INGRESS, kIngressHandle),
              "create the ingress qdisc" + on(linkIndex));
  batch.putText(TCA_KIND, "ingress");
  TRY(socket.request(batch));
  return {};
}

Result<> removeIdleIngress(Socket& socket, unsigned linkIndex) {
  const tcmsg where = infoOf(linkIndex, TC_H_INGRESS);
  const auto found = TRY(find(socket, where, "the ingress qdisc" + on(linkIndex)));
  if (!found) return fail(Cause::Missing, "no ingress qdisc" + on(linkIndex));
  if (found->kind != "ingress" || !TRY(filters(socket, linkIndex)).empty()) return {};
  Batch batch;
  batch.begin(RTM_DELQDISC, NLM_F_ACK, where, "delete the ingress qdisc" + on(linkIndex));
  TRY(socket.request(batch));
  return {};
}

Result<> createRedirect(Socket& socket, unsigned linkIndex, Mark mark, unsigned targetIndex) {
  // "match u32 0 0" of tc(8): every packet matches. By offset, as tc_u32_sel ends in a flexible array.
  std::array<std::uint8_t, sizeof(tc_u32_sel) + sizeof(tc_u32_key)> all{};
  all.at(offsetof(tc_u32_sel, flags)) = TC_U32_TERMINAL;
  all.at(offsetof(tc_u32_sel, nkeys)) = 1;

  Batch batch;
  batch.begin(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, filterOf(linkIndex, mark),
              "create the ingress redirect" + on(linkIndex));
  batch.putText(TCA_KIND, "u32");
  {
    const auto options = batch.nest(TCA_OPTIONS);
    batch.putStruct(TCA_U32_SEL, all);
    putMirred(batch, targetIndex);
  }
  TRY(socket.request(batch));
  return {};
}

Result<std::optional<unsigned>> findRedirect(Socket& socket, unsigned linkIndex, Mark mark) {
  for (const Message& message : TRY(filters(socket, linkIndex))) {
    if (priorityOf(message.family<tcmsg>().value_or(tcmsg{})) != mark) continue;
    if (const auto target = targetOf(message)) return target;
  }
  return std::optional<unsigned>{};
}

Result<> removeRedirect(Socket& socket, unsigned linkIndex, Mark mark) {
  Batch batch;
  batch.begin(RTM_DELTFILTER, NLM_F_ACK, filterOf(linkIndex, mark), "delete the ingress redirect" + on(linkIndex));
  return remove(socket, batch);
}

}  // namespace netlib::qdisc
