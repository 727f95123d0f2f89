// The words every part of the array simulator shares.
//
// Threads: values only. Ownership: none. Failure: ApiError is the one exception of this program; it is thrown while a
// request is being worked on and caught by the dispatcher, which turns it into the vendor's error body.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace protector::fasim {

using Json = nlohmann::json;
using Millis = std::int64_t;  // since the epoch, on the array's own clock

// One refused request: HTTP status and one or more (context, message) pairs, as the vendor's error body has them.
class ApiError : public std::runtime_error {
 public:
  struct Item {
    std::optional<std::string> context;
    std::string message;
  };
  ApiError(int http_status, std::vector<Item> error_items)
      : std::runtime_error(error_items.empty() ? "error" : error_items.front().message),
        status(http_status),
        items(std::move(error_items)) {}
  ApiError(std::string context, std::string message) : ApiError(400, {Item{std::move(context), std::move(message)}}) {}
  explicit ApiError(std::string message) : ApiError(400, {Item{std::nullopt, std::move(message)}}) {}

  int status;
  std::vector<Item> items;
};

}  // namespace protector::fasim
