#pragma once
// A project of one site's Keystone, in whose bounds a caller stays: what belongs to another project does not exist for
// it. Which project of the other site it stands for is a tenant mapping's to say.
//
// Threads: a value. Failure: none.

#include <string>

namespace protector {

struct Tenant {
  std::string site;        // whose Keystone knows the project
  std::string project_id;  // never empty
  std::string project_name;

  bool operator==(const Tenant&) const = default;

  // `projects`: of an object, by site.
  template <typename Map>
  bool Owns(const Map& projects) const {
    const auto found = projects.find(site);
    return found != projects.end() && found->second == project_id;
  }
};

}  // namespace protector
