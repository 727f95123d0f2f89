// What a site holds before anyone has used it: users, flavors, networks, types, images. Built in for site-a and site-b,
// or read from a YAML or JSON file of the same form. Threads: start-up only. Failure: an error text.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace protector::ossim {

// The built-in seed; null for a name that has none.
nlohmann::json BuiltInSeed(const std::string& site);

// Reads `path`; *error says what is wrong. Members that the file leaves out come from the built-in seed of its site.
nlohmann::json LoadSeed(const std::string& path, const std::string& site, std::string* error);

}  // namespace protector::ossim
