// Finds the handler for a method and a path made of segments: "/servers/{}/action". A literal segment wins over {}.
// Threads: read-only after set-up. Failure: Find tells "no such path" from "path, but not this method".
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulators/openstack/http/types.h"

namespace protector::ossim {

using Handler = std::function<Response(Request&)>;

struct Route {
  Handler handler;
  bool needs_token = true;
  bool locked = true;         // run under the site's lock; false: the handler takes it where it needs it
  std::string latency_class;  // empty: the service's own for the method
};

class Router {
 public:
  Router();
  ~Router();
  Route& Add(const std::string& method, const std::string& pattern, Handler handler);

  enum class Result { kFound, kNoPath, kNoMethod };
  Result Find(const std::string& method, const std::vector<std::string>& segments, const Route** route,
              std::vector<std::string>* args) const;

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>> literal;
    std::unique_ptr<Node> any;
    std::map<std::string, Route> methods;
  };
  const Node* Walk(const Node* node, const std::vector<std::string>& segments, size_t at,
                   std::vector<std::string>* args) const;
  Node root_;
};

}  // namespace protector::ossim
