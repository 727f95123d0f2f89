#include "libs/log/log.h"

#include <rapidjson/document.h>

#include <catch2/catch.hpp>
#include <thread>

#include "libs/base/error.h"

namespace protector::log {
namespace {

struct Captured {
  std::vector<std::string> lines;
  Logger logger = Logger::ToFunction({"metadata-sync", "site-a", Level::kInfo},
                                     [this](const std::string& line) { lines.push_back(line); });
  rapidjson::Document Last() const {
    rapidjson::Document document;
    document.Parse(lines.at(lines.size() - 1).c_str());
    REQUIRE(document.IsObject());
    return document;
  }
};

TEST_CASE("a line is one JSON object with service, site, level, time, message and fields") {
  Captured captured;
  captured.logger.With({{"operation", "op-1"}, {"epoch", 4}})
      .Info("step \"done\"\nnow", {{"ok", true}, {"share", 0.5}});
  const auto line = captured.Last();
  CHECK(captured.lines[0].find('\n') == std::string::npos);
  CHECK(line["service"].GetString() == std::string("metadata-sync"));
  CHECK(line["site"].GetString() == std::string("site-a"));
  CHECK(line["level"].GetString() == std::string("info"));
  CHECK(line["message"].GetString() == std::string("step \"done\"\nnow"));
  CHECK(line["operation"].GetString() == std::string("op-1"));
  CHECK(line["epoch"].GetInt() == 4);
  CHECK(line["ok"].GetBool());
  CHECK(line["share"].GetDouble() == 0.5);
  CHECK(std::string(line["time"].GetString()).back() == 'Z');
}

TEST_CASE("secret-looking keys are redacted, on the line and in the context") {
  Captured captured;
  for (const char* key : {"password", "OS_PASSWORD", "x-auth-token", "api_token", "client_secret", "Authorization",
                          "application_credential_secret", "private-key"}) {
    CHECK(IsSecretKey(key));
    captured.logger.With({{key, "hunter2"}}).Info("login", {{key, "hunter2"}});
    CHECK(captured.lines.back().find("hunter2") == std::string::npos);
    CHECK(captured.Last()[key].GetString() == std::string(kRedacted));
  }
  CHECK_FALSE(IsSecretKey("operation"));
  CHECK_FALSE(IsSecretKey("key_pair"));
}

TEST_CASE("levels below the configured one are not written; a default logger discards") {
  Captured captured;
  captured.logger.Debug("no");
  CHECK(captured.lines.empty());
  Logger().Error("nowhere");
  Level level = Level::kInfo;
  CHECK(ParseLevel("warning", level));
  CHECK(level == Level::kWarning);
  CHECK_FALSE(ParseLevel("loud", level));
}

TEST_CASE("a status brings cause, object and remedy") {
  Captured captured;
  const absl::Status status =
      Error(absl::StatusCode::kNotFound, "SITE_NOT_FOUND", "no such site").Object("site x").Remedy("Create it.");
  captured.logger.Error("request failed", status);
  const auto line = captured.Last();
  CHECK(line["reason"].GetString() == std::string("SITE_NOT_FOUND"));
  CHECK(line["object"].GetString() == std::string("site x"));
  CHECK(line["remedy"].GetString() == std::string("Create it."));
  CHECK(line["error_code"].GetString() == std::string("NOT_FOUND"));
}

TEST_CASE("text that is not UTF-8 still gives a valid line") {
  Captured captured;
  captured.logger.Info("bad \xff\xfe name", {{"name", "\xc3"}, {"good", "\xc3\xa9"}});
  CHECK(captured.Last()["name"].GetString() == std::string("?"));
  CHECK(captured.Last()["good"].GetString() == std::string("\xc3\xa9"));
}

TEST_CASE("lines of many threads are not torn") {
  Captured captured;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) captured.logger.Info("x", {{"i", i}});
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(captured.lines.size() == 800);
}

}  // namespace
}  // namespace protector::log
