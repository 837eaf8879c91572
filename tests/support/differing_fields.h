// Which fields of two attachments differ.
#pragma once

#include <string>
#include <vector>

#include "plugin/model/attachment_fields.h"

namespace support {

/// Collects the fields of one attachment with their types' operator==. The list is the same for every attachment.
class FieldCollector {
 public:
  struct Field {
    std::string name;
    const void* place;
    bool (*equal)(const void*, const void*);
  };

  template <class T>
  void operator()(std::string_view name, const T& field) {
    fields.push_back({prefix_ + std::string{name}, &field, [](const void* a, const void* b) {
                        return *static_cast<const T*>(a) == *static_cast<const T*>(b);
                      }});
  }
  template <class T>
  void operator()(std::string_view name, const T& field, const pons::Otherwise<T>& /*otherwise*/) {
    (*this)(name, field);
  }
  void nested(std::string_view name, auto visitMembers) {
    prefix_ = std::string{name} + ".";
    visitMembers(*this);
    prefix_.clear();
  }

  std::vector<Field> fields;

 private:
  std::string prefix_;
};

/// Their names as in the record, separated by spaces; "netns.path" for a nested one. Lists and objects are compared as
/// a whole.
inline std::string differingFields(const pons::Attachment& a, const pons::Attachment& b) {
  FieldCollector ofA;
  FieldCollector ofB;
  visitFields(ofA, a);
  visitFields(ofB, b);
  std::string names;
  for (std::size_t i = 0; i < ofA.fields.size(); ++i) {
    const auto& [name, place, equal] = ofA.fields[i];
    if (!equal(place, ofB.fields[i].place)) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

}  // namespace support
