// Named objects of nft(8), "STATEFUL OBJECTS": counters and limits to which the elements of maps lead.
#include <cstdio>  // libnftnl/object.h needs FILE

#include "netlib/nft/objects.h"

namespace netlib::nft {

namespace {

OwnedObject objectOf(const Table& table, ObjectType type, const std::string& name) {
  OwnedObject object{allocated(nftnl_obj_alloc())};
  nftnl_obj_set_u32(object.get(), NFTNL_OBJ_FAMILY, static_cast<std::uint32_t>(table.family));
  nftnl_obj_set_str(object.get(), NFTNL_OBJ_TABLE, table.name.c_str());
  nftnl_obj_set_str(object.get(), NFTNL_OBJ_NAME, name.c_str());
  nftnl_obj_set_u32(object.get(), NFTNL_OBJ_TYPE, static_cast<std::uint32_t>(type));
  return object;
}

std::string nameIn(const nftnl_obj& object) {
  const char* name = nftnl_obj_get_str(const_cast<nftnl_obj*>(&object), NFTNL_OBJ_NAME);
  return name == nullptr ? std::string{} : name;
}

Result<OwnedObject> parsed(const Message& message, const std::string& what) {
  OwnedObject object{allocated(nftnl_obj_alloc())};
  if (nftnl_obj_nlmsg_parse(&message.header(), object.get()) < 0) return fail(Cause::Damaged, "cannot parse " + what);
  return object;
}

}  // namespace

void Transaction::putObject(unsigned type, unsigned flags, const Table& table, const nftnl_obj& object) {
  const std::string name = nameIn(object);
  batch_.append((type == NFT_MSG_NEWOBJ ? "create nf_tables object " : "delete nf_tables object ") + name,
                roomFor(table.name, name), [&](char* room) {
                  nftnl_obj_nlmsg_build_payload(putHeader(room, type, table, flags | NLM_F_ACK), &object);
                });
}

void Transaction::addCounter(const Table& table, const std::string& name) {
  const OwnedObject counter = objectOf(table, ObjectType::Counter, name);
  nftnl_obj_set_u64(counter.get(), NFTNL_OBJ_CTR_PKTS, 0);
  nftnl_obj_set_u64(counter.get(), NFTNL_OBJ_CTR_BYTES, 0);
  putObject(NFT_MSG_NEWOBJ, NLM_F_CREATE | NLM_F_EXCL, table, *counter);
}

void Transaction::addLimit(const Table& table, const std::string& name, std::uint64_t packets, LimitUnit unit) {
  const OwnedObject limit = objectOf(table, ObjectType::Limit, name);
  nftnl_obj_set_u64(limit.get(), NFTNL_OBJ_LIMIT_RATE, packets);
  nftnl_obj_set_u64(limit.get(), NFTNL_OBJ_LIMIT_UNIT, static_cast<std::uint64_t>(unit));
  nftnl_obj_set_u32(limit.get(), NFTNL_OBJ_LIMIT_BURST, static_cast<std::uint32_t>(packets));
  nftnl_obj_set_u32(limit.get(), NFTNL_OBJ_LIMIT_TYPE, NFT_LIMIT_PKTS);
  nftnl_obj_set_u32(limit.get(), NFTNL_OBJ_LIMIT_FLAGS, 0);
  putObject(NFT_MSG_NEWOBJ, NLM_F_CREATE | NLM_F_EXCL, table, *limit);
}

void Transaction::deleteObject(const Table& table, ObjectType type, const std::string& name) {
  putObject(NFT_MSG_DELOBJ, 0, table, *objectOf(table, type, name));
}

Result<Counted> readCounter(Socket& netfilter, const Table& table, const std::string& name) {
  Batch batch;
  const std::string what = "nf_tables counter " + name;
  batch.append("find " + what, roomFor(table.name, name), [&](char* room) {
    const OwnedObject named = objectOf(table, ObjectType::Counter, name);
    nftnl_obj_nlmsg_build_payload(putHeader(room, NFT_MSG_GETOBJ, table, 0), named.get());
  });
  const auto answers = TRY(netfilter.request(batch));
  if (answers.front().messages.empty()) return fail(Cause::Damaged, "no answer about " + what);
  const OwnedObject counter = TRY(parsed(answers.front().messages.front(), what));
  return Counted{.packets = nftnl_obj_get_u64(counter.get(), NFTNL_OBJ_CTR_PKTS),
                 .bytes = nftnl_obj_get_u64(counter.get(), NFTNL_OBJ_CTR_BYTES)};
}

Result<std::vector<std::string>> listObjects(Socket& netfilter, const Table& table, ObjectType type) {
  Batch batch;
  batch.append("list nf_tables objects of table " + table.name, roomFor(table.name), [&](char* room) {
    const OwnedObject any{allocated(nftnl_obj_alloc())};
    nftnl_obj_set_str(any.get(), NFTNL_OBJ_TABLE, table.name.c_str());
    nftnl_obj_set_u32(any.get(), NFTNL_OBJ_TYPE, static_cast<std::uint32_t>(type));
    nftnl_obj_nlmsg_build_payload(putHeader(room, NFT_MSG_GETOBJ, table, NLM_F_DUMP | NLM_F_ACK), any.get());
  });
  std::vector<std::string> names;
  const auto answers = TRY(netfilter.request(batch));
  for (const Message& message : answers.front().messages) {
    const OwnedObject object = TRY(parsed(message, "an nf_tables object"));
    names.push_back(nameIn(*object));
  }
  return names;
}

}  // namespace netlib::nft
