#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {

void CheckExclusive(const Call& call, const std::string& names, const std::string& ids) {
  if (call.Has(names) && call.Has(ids)) throw ApiError("Invalid combination of parameters specified.");
}

std::vector<std::string> NewNames(const Call& call, const std::string& parameter) {
  std::vector<std::string> names = call.List(parameter);
  if (names.empty()) throw ApiError(fmt::format("The parameter {} is required.", parameter));
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(Lower(name)).second) throw ApiError(name, "The name is given more than once.");
  }
  return names;
}

void CheckAnyAttribute(const Call& call, const std::vector<std::string>& parameters) {
  if (call.body.is_object() && !call.body.empty()) return;
  for (const std::string& parameter : parameters) {
    if (call.Has(parameter)) return;
  }
  throw ApiError("No attribute specified.");
}

}  // namespace protector::fasim
