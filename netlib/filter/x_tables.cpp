#include "netlib/filter/x_tables.h"

#include <algorithm>
#include <array>

#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>

#include "netlib/base/unique_fd.h"
#include "netlib/filter/iptables.h"

namespace netlib::x_tables {

using filter::Match;
using filter::Verdict;

namespace {

/// The structures of the kernel's interface of one family.
struct Ipv4Layout {
  using Info = ipt_getinfo;
  using Entries = ipt_get_entries;
  using Entry = ipt_entry;
  static constexpr Family kFamily = Family::Ipv4;
  static constexpr int kLevel = IPPROTO_IP;
  static constexpr int kGetInfo = IPT_SO_GET_INFO;
  static constexpr int kGetEntries = IPT_SO_GET_ENTRIES;
  static constexpr unsigned kGoto = IPT_F_GOTO;
  static constexpr unsigned kOwnFlags = 0;
  static const ipt_ip& conditions(const Entry& entry) { return entry.ip; }
};
struct Ipv6Layout {
  using Info = ip6t_getinfo;
  using Entries = ip6t_get_entries;
  using Entry = ip6t_entry;
  static constexpr Family kFamily = Family::Ipv6;
  static constexpr int kLevel = IPPROTO_IPV6;
  static constexpr int kGetInfo = IP6T_SO_GET_INFO;
  static constexpr int kGetEntries = IP6T_SO_GET_ENTRIES;
  static constexpr unsigned kGoto = IP6T_F_GOTO;
  static constexpr unsigned kOwnFlags = IP6T_F_TOS;
  static const ip6t_ip6& conditions(const Entry& entry) { return entry.ipv6; }
};
// The bits of invflags are the same in both families.
static_assert(IPT_INV_VIA_IN == IP6T_INV_VIA_IN && IPT_INV_VIA_OUT == IP6T_INV_VIA_OUT);
static_assert(IPT_INV_SRCIP == IP6T_INV_SRCIP && IPT_INV_DSTIP == IP6T_INV_DSTIP);

template <class T>
std::vector<std::uint8_t> bytesOf(const T& content) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&content);
  return {bytes, bytes + sizeof content};
}

/// Without a condition.
template <class Condition>
bool isAny(const Condition& wanted) {
  return std::ranges::all_of(wanted.mask, [](std::uint8_t bits) { return bits == 0; });
}

/// Up to the first NUL.
template <std::size_t Size>
std::string textOf(const char (&text)[Size]) {
  return {text, std::find(text, text + Size, '\0')};
}

}  // namespace

/// Reads entry after entry; each begins where the one before ends.
template <class Layout>
class FilterTableReader {
 public:
  /// Creates the table if the kernel has its module. Unlike kGetInfo, kGetEntries does not load that.
  static bool hasTable() {
    const UniqueFd socket{::socket(static_cast<int>(Layout::kFamily), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    using Entries = typename Layout::Entries;
    alignas(Entries) std::array<char, sizeof(Entries)> none{};
    std::copy_n("filter", sizeof "filter", none.begin());  // the name comes first
    socklen_t length = none.size();
    // EAGAIN: the table has another size.
    return getsockopt(socket.get(), Layout::kLevel, Layout::kGetEntries, none.data(), &length) == 0 || errno == EAGAIN;
  }

  Result<FilterTable> read() {
    TRY(readBlob());
    std::size_t offset = 0;
    for (unsigned i = 0; i < info_.num_entries; ++i) offset += TRY(readEntry(offset));
    for (auto& [name, entries] : table_.chains_) {
      for (auto& entry : entries) nameTarget(entry.rule);
    }
    return std::move(table_);
  }

 private:
  using Entry = typename Layout::Entry;

  static Failure<Error> damaged() { return fail(Cause::Damaged, "cannot parse the filter table of iptables-legacy"); }

  /// EAGAIN: another process has replaced the table since its size was read.
  Result<> readBlob() {
    const UniqueFd socket{::socket(static_cast<int>(Layout::kFamily), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (!socket) return failErrno("open a socket");
    constexpr int kTries = 10;
    for (int attempt = 1;; ++attempt) {
      std::copy_n("filter", sizeof "filter", info_.name);
      socklen_t length = sizeof info_;
      if (getsockopt(socket.get(), Layout::kLevel, Layout::kGetInfo, &info_, &length) != 0) {
        return failErrno("read the filter table of iptables-legacy");
      }
      std::vector<std::uint8_t> answer(sizeof(typename Layout::Entries) + info_.size);
      auto* entries = reinterpret_cast<typename Layout::Entries*>(answer.data());
      std::copy_n("filter", sizeof "filter", entries->name);
      entries->size = info_.size;
      length = static_cast<socklen_t>(answer.size());
      if (getsockopt(socket.get(), Layout::kLevel, Layout::kGetEntries, entries, &length) == 0) {
        blob_.assign(answer.begin() + sizeof(typename Layout::Entries), answer.end());
        return {};
      }
      if (errno != EAGAIN || attempt == kTries) return failErrno("read the filter table of iptables-legacy");
    }
  }

  /// A structure at that offset, if it lies within the table.
  template <class T>
  const T* at(std::size_t offset) const {
    return offset + sizeof(T) > blob_.size() ? nullptr : reinterpret_cast<const T*>(blob_.data() + offset);
  }

  /// Its length.
  Result<std::size_t> readEntry(std::size_t offset) {
    const auto* entry = at<Entry>(offset);
    if (entry == nullptr || entry->next_offset < sizeof(Entry)) return damaged();
    const auto* target = at<xt_entry_target>(offset + entry->target_offset);
    if (target == nullptr) return damaged();
    beginBuiltIn(offset);
    const std::string name = textOf(target->u.user.name);
    if (name == XT_ERROR_TARGET) {  // the first entry of a chain, or the last one of the table
      const auto* error = at<xt_error_target>(offset + entry->target_offset);
      if (error == nullptr) return damaged();
      chain_ = textOf(error->errorname);
      starts_[offset + entry->next_offset] = chain_;
      table_.chains_[chain_];
    } else {
      TRY(addRule(*entry, offset, name));
    }
    return std::size_t{entry->next_offset};
  }

  void beginBuiltIn(std::size_t offset) {
    constexpr std::array kNames{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};  // NF_INET_*
    for (std::size_t hook = 0; hook < kNames.size(); ++hook) {
      const bool isUsed = (info_.valid_hooks & (1U << hook)) != 0;
      if (isUsed && info_.hook_entry[hook] == offset) chain_ = kNames.at(hook);
    }
  }

  Result<> addRule(const Entry& entry, std::size_t offset, const std::string& target) {
    const auto& ip = Layout::conditions(entry);
    const auto interface = [&](const auto& name, const auto& mask, unsigned inversion) {
      FilterTable::Interface wanted{{}, {}, (ip.invflags & inversion) != 0};
      std::ranges::copy(name, wanted.name.begin());
      std::ranges::copy(mask, wanted.mask.begin());
      return wanted;
    };
    FilterTable::Entry made{.in = interface(ip.iniface, ip.iniface_mask, IPT_INV_VIA_IN),
                            .out = interface(ip.outiface, ip.outiface_mask, IPT_INV_VIA_OUT),
                            .source = {bytesOf(ip.src), bytesOf(ip.smsk), (ip.invflags & IPT_INV_SRCIP) != 0},
                            .destination = {bytesOf(ip.dst), bytesOf(ip.dmsk), (ip.invflags & IPT_INV_DSTIP) != 0}};
    constexpr unsigned kKnownInversions = IPT_INV_VIA_IN | IPT_INV_VIA_OUT | IPT_INV_SRCIP | IPT_INV_DSTIP;
    const bool hasFragment = Layout::kFamily == Family::Ipv4 && (ip.flags & IPT_F_FRAG) != 0;
    made.hasOther =
        ip.proto != 0 || hasFragment || (ip.flags & Layout::kOwnFlags) != 0 || (ip.invflags & ~kKnownInversions) != 0;
    TRY(addMatches(made, entry, offset));
    TRY(addTarget(made.rule, entry, offset, target));
    if (info_.underflow[NF_INET_FORWARD] == offset) {  // the policy
      table_.forwardPolicyDrops_ = made.rule.verdict == Verdict::Drop;
      table_.chains_[chain_];
    } else {
      table_.chains_[chain_].push_back(std::move(made));
    }
    return {};
  }

  Result<> addMatches(FilterTable::Entry& made, const Entry& entry, std::size_t start) {
    constexpr int kRevision = 3;
    std::size_t offset = start + sizeof(Entry);
    while (offset < start + entry.target_offset) {
      const auto* match = at<xt_entry_match>(offset);
      if (match == nullptr || match->u.match_size < sizeof *match || offset + match->u.match_size > blob_.size()) {
        return damaged();
      }
      const std::string name = textOf(match->u.user.name);
      if (name == "conntrack" && match->u.user.revision == kRevision) {
        const auto* content = blob_.data() + offset;
        made.conntrack.emplace_back(content + sizeof *match, content + match->u.match_size);
      } else if (const auto* comment = at<xt_comment_info>(offset + sizeof *match); name == "comment" && comment) {
        made.rule.comment = textOf(comment->comment);
      } else {
        made.hasOther = true;
      }
      offset += match->u.match_size;
    }
    return {};
  }

  Result<> addTarget(filter::Rule& rule, const Entry& entry, std::size_t start, const std::string& name) {
    if (name == "REJECT") rule.verdict = Verdict::Drop;
    if (!name.empty()) return {};  // others (LOG, MARK) continue; the standard target's name is ""
    const auto* target = at<xt_standard_target>(start + entry.target_offset);
    if (target == nullptr) return damaged();
    const int code = target->verdict;
    if (code == -NF_ACCEPT - 1) {
      rule.verdict = Verdict::Accept;
    } else if (code == -NF_DROP - 1) {
      rule.verdict = Verdict::Drop;
    } else if (code == XT_RETURN) {
      rule.verdict = Verdict::Return;
    } else if (code >= 0 && static_cast<std::size_t>(code) != start + entry.next_offset) {  // else no target
      const bool goes = (Layout::conditions(entry).flags & Layout::kGoto) != 0;
      rule.verdict = goes ? Verdict::Goto : Verdict::Jump;
      rule.handle = static_cast<std::uint64_t>(code);
    }
    return {};
  }

  /// From the offset that addTarget() has put aside.
  void nameTarget(filter::Rule& rule) const {
    const auto found = starts_.find(static_cast<std::size_t>(rule.handle));
    if (found != starts_.end()) rule.target = found->second;
    rule.handle = 0;
  }

  typename Layout::Info info_{};
  std::vector<std::uint8_t> blob_;
  FilterTable table_;
  std::string chain_;
  std::map<std::size_t, std::string> starts_;  ///< chains by the offset of their first rule
};

/// Asking for a table creates it, so /proc is asked first. There the list belongs to a user that does not exist, if the
/// namespace was made together with its user namespace, before that had a root user (rootlesskit, "unshare -Urn"): then
/// the kernel is asked, and an empty table without any effect may be left in such a namespace.
template <class Layout>
Result<std::optional<FilterTable>> readIfPresentAs() {
  const auto names = iptables::tableNames(Layout::kFamily);
  if (!names && !names.failedWith(EACCES)) return fail(names.error());
  const bool isPresent =
      names ? std::ranges::find(*names, "filter") != names->end() : FilterTableReader<Layout>::hasTable();
  if (!isPresent) return std::optional<FilterTable>{};
  return TRY(FilterTableReader<Layout>{}.read());
}

Result<std::optional<FilterTable>> FilterTable::readIfPresent(Family family) {
  return family == Family::Ipv4 ? readIfPresentAs<Ipv4Layout>() : readIfPresentAs<Ipv6Layout>();
}

Match FilterTable::matchOf(const Interface& wanted, const std::string& name) {
  if (isAny(wanted)) return Match::Yes;
  if (name.empty()) return Match::Unknown;
  bool equal = true;
  for (std::size_t i = 0; i < wanted.name.size(); ++i) {
    const char have = i < name.size() ? name[i] : '\0';
    equal &= ((have ^ wanted.name.at(i)) & wanted.mask.at(i)) == 0;
  }
  return equal != wanted.isInverted ? Match::Yes : Match::No;
}

Match FilterTable::matchOf(const Address& wanted, const std::optional<IpAddress>& address) {
  if (isAny(wanted)) return Match::Yes;
  if (!address || address->bytes().size() != wanted.bytes.size()) return Match::Unknown;
  bool equal = true;
  for (std::size_t i = 0; i < wanted.bytes.size(); ++i) {
    equal &= ((address->bytes()[i] ^ wanted.bytes.at(i)) & wanted.mask.at(i)) == 0;
  }
  return equal != wanted.isInverted ? Match::Yes : Match::No;
}

std::vector<filter::Rule> FilterTable::rulesFor(const std::string& chain, const filter::Packet& packet) const {
  std::vector<filter::Rule> rules;
  const auto found = chains_.find(chain);
  if (found == chains_.end()) return rules;
  for (const Entry& entry : found->second) {
    const std::array named{matchOf(entry.in, packet.iifname), matchOf(entry.out, packet.oifname),
                           matchOf(entry.source, packet.source), matchOf(entry.destination, packet.destination)};
    Match match = std::ranges::min(named);
    for (const auto& info : entry.conntrack) match = std::min(match, filter::matchOfXtConntrack(info, packet));
    if (entry.hasOther) match = std::min(match, Match::Unknown);
    if (match == Match::No) continue;
    filter::Rule rule = entry.rule;
    rule.conditional = match == Match::Unknown;
    const std::array any{isAny(entry.in), isAny(entry.out), isAny(entry.source), isAny(entry.destination)};
    for (std::size_t i = 0; i < any.size(); ++i) rule.isNamed |= named.at(i) == Match::Yes && !any.at(i);
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace netlib::x_tables
