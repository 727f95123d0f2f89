#include "simulators/flasharray/rest/spec.h"

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

#include "simulators/flasharray/base/text.h"

namespace protector::fasim {
namespace {

const char* const kOperations =
#include "simulators/flasharray/spec/operations.inc"
    ;

int ReadSince(const std::string& text, std::size_t* at) {
  if (*at >= text.size() || text[*at] != '@') return 0;
  std::size_t end = *at + 1;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  const int since = std::atoi(text.substr(*at + 1, end - *at - 1).c_str());
  *at = end;
  return since;
}

std::vector<Shape> ReadShape(const std::string& text, std::size_t* at) {
  std::vector<Shape> out;
  while (*at < text.size() && text[*at] != '}') {
    if (text[*at] == ',') ++*at;
    Shape shape;
    while (*at < text.size() && std::string("@[{},").find(text[*at]) == std::string::npos) shape.name += text[(*at)++];
    if (text.compare(*at, 2, "[]") == 0) {
      shape.list = true;
      *at += 2;
    }
    shape.since = ReadSince(text, at);
    if (*at < text.size() && text[*at] == '{') {
      ++*at;
      shape.object = true;
      shape.children = ReadShape(text, at);
      ++*at;
    }
    out.push_back(std::move(shape));
  }
  return out;
}

std::map<std::string, int> ReadWords(const std::string& text, int first) {
  std::map<std::string, int> out;
  if (text.empty()) return out;
  for (const std::string& word : Split(text, ',')) {
    const auto parts = Split(word, '@');
    std::string name = parts[0];
    // Lists of plain values are keys like any other.
    if (name.size() > 2 && name.compare(name.size() - 2, 2, "[]") == 0) name.resize(name.size() - 2);
    out[name] = parts.size() > 1 ? std::atoi(parts[1].c_str()) : first;
  }
  return out;
}

void CheckKeys(const Json& object, const std::string& prefix, const std::map<std::string, int>& known, int minor) {
  for (const auto& [key, value] : object.items()) {
    const std::string dotted = prefix + key;
    const auto exact = known.find(dotted);
    if (exact != known.end()) {
      if (exact->second > minor)
        throw ApiError(fmt::format("Property {} is not supported in REST version 2.{}.", dotted, minor));
      continue;
    }
    // An object of which the table names the members, or a list of such objects.
    bool parent = false, newer = true;
    for (const auto& separator : {".", "[]."}) {
      const std::string stem = dotted + separator;
      for (auto it = known.lower_bound(stem); it != known.end() && StartsWith(it->first, stem); ++it) {
        parent = true;
        newer = newer && it->second > minor;
      }
      if (!parent) continue;
      if (value.is_object()) CheckKeys(value, stem, known, minor);
      for (const Json& element : value.is_array() ? value : Json::array()) {
        if (element.is_object()) CheckKeys(element, stem, known, minor);
      }
      break;
    }
    if (!parent) throw ApiError(fmt::format("Unknown or read-only property: {}.", dotted));
    if (newer) throw ApiError(fmt::format("Property {} is not supported in REST version 2.{}.", dotted, minor));
  }
}

}  // namespace

Spec::Spec() {
  for (const std::string& line : Split(kOperations, '\n')) {
    if (line.empty()) continue;
    const auto cells = Split(line, '|');
    const auto head = Split(cells.at(0), ' ');
    if (cells.size() != 5 || head.size() != 3) throw std::runtime_error("damaged operation: " + line);
    Operation operation;
    operation.method = head[0];
    operation.path = head[1];
    operation.since = std::atoi(head[2].c_str());
    operation.params = ReadWords(cells[1], operation.since);
    operation.body = ReadWords(cells[2], operation.since);
    operation.body_is_list = StartsWith(cells[2], "[].");
    std::size_t at = 0;
    operation.item = ReadShape(cells[3], &at);
    operation.listing = cells[4].find("more_items_remaining") != std::string::npos;
    operation.total = operation.listing && StartsWith(cells[4].substr(cells[4].rfind(',') + 1), "total") &&
                      cells[4].substr(cells[4].rfind(',') + 1) == "total";
    paths_[operation.path] = 1;
    operations_[operation.method + " " + operation.path] = std::move(operation);
  }
}

const Operation* Spec::Find(const std::string& method, const std::string& path) const {
  const auto it = operations_.find(method + " " + path);
  return it == operations_.end() ? nullptr : &it->second;
}

bool Spec::HasPath(const std::string& path) const {
  return paths_.count(path) != 0;
}

Json Project(const std::vector<Shape>& shape, const Json& item, int minor) {
  Json out = Json::object();
  for (const Shape& property : shape) {
    if (property.since > minor) continue;
    const auto it = item.find(property.name);
    const bool present = it != item.end() && !it->is_null();
    if (property.list) {
      Json list = Json::array();
      if (present) {
        for (const Json& element : *it) {
          list.push_back(property.object ? Project(property.children, element, minor) : element);
        }
      }
      out[property.name] = std::move(list);
    } else if (property.object) {
      out[property.name] = Project(property.children, present ? *it : Json::object(), minor);
    } else {
      out[property.name] = present ? *it : Json(nullptr);
    }
  }
  return out;
}

void CheckParams(const Operation& operation, const std::map<std::string, std::string>& params, int minor) {
  for (const auto& [name, value] : params) {
    const auto it = operation.params.find(name);
    if (it == operation.params.end()) {
      // Newer clients send it empty to every version.
      if (name == "context_names" && value.empty()) continue;
      throw ApiError(fmt::format("Unknown query parameter: {}.", name));
    }
    if (it->second > minor) {
      throw ApiError(fmt::format("Query parameter {} is not supported in REST version 2.{}.", name, minor));
    }
  }
}

void CheckBody(const Operation& operation, const Json& body, int minor) {
  if (body.is_null()) return;
  if (operation.body_is_list) {
    if (!body.is_array()) throw ApiError("The body must be a list.");
    for (const Json& element : body) {
      if (!element.is_object()) throw ApiError("The body must be a list of objects.");
      CheckKeys(element, "[].", operation.body, minor);
    }
    return;
  }
  if (!body.is_object()) throw ApiError("The body must be an object.");
  CheckKeys(body, "", operation.body, minor);
}

}  // namespace protector::fasim
