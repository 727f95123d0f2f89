#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "libs/cloudconfig/cloudconfig.h"

extern char** environ;

namespace protector::cloudconfig {
namespace {

class ProcessEnv final : public Env {
 public:
  std::map<std::string, std::string> Variables() const override {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string text = *entry;
      const size_t equals = text.find('=');
      if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return variables;
  }

  std::string WorkingDirectory() const override {
    std::error_code error;
    return std::filesystem::current_path(error).string();
  }

  std::string HomeDirectory() const override {
    const char* home = std::getenv("HOME");
    if (home != nullptr) return home;
    const passwd* entry = getpwuid(getuid());
    return entry == nullptr ? "/" : entry->pw_dir;
  }

  std::optional<std::string> ReadFile(const std::string& path) const override {
    std::error_code error;
    if (!std::filesystem::exists(path, error) || std::filesystem::is_directory(path, error)) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

}  // namespace

std::unique_ptr<Env> NewProcessEnv() {
  return std::make_unique<ProcessEnv>();
}

std::optional<std::string> FakeEnv::ReadFile(const std::string& path) const {
  const auto found = files.find(path);
  return found == files.end() ? std::nullopt : std::optional<std::string>(found->second);
}

}  // namespace protector::cloudconfig
