#include "simulators/openstack/http/router.h"

#include <utility>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {

Router::Router() = default;
Router::~Router() = default;

Route& Router::Add(const std::string& method, const std::string& pattern, Handler handler) {
  Node* node = &root_;
  for (const std::string& segment : Split(pattern, '/')) {
    std::unique_ptr<Node>& next = segment == "{}" ? node->any : node->literal[segment];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
  }
  Route& route = node->methods[method];
  route.handler = std::move(handler);
  return route;
}

const Router::Node* Router::Walk(const Node* node, const std::vector<std::string>& segments, size_t at,
                                 std::vector<std::string>* args) const {
  if (at == segments.size()) return node->methods.empty() ? nullptr : node;
  auto it = node->literal.find(segments[at]);
  if (it != node->literal.end()) {
    if (const Node* found = Walk(it->second.get(), segments, at + 1, args)) return found;
  }
  if (node->any) {
    args->push_back(segments[at]);
    if (const Node* found = Walk(node->any.get(), segments, at + 1, args)) return found;
    args->pop_back();
  }
  return nullptr;
}

Router::Result Router::Find(const std::string& method, const std::vector<std::string>& segments, const Route** route,
                            std::vector<std::string>* args) const {
  args->clear();
  const Node* node = Walk(&root_, segments, 0, args);
  if (node == nullptr) return Result::kNoPath;
  auto it = node->methods.find(method);
  if (it == node->methods.end() && method == "HEAD") it = node->methods.find("GET");
  if (it == node->methods.end()) return Result::kNoMethod;
  *route = &it->second;
  return Result::kFound;
}

}  // namespace protector::ossim
