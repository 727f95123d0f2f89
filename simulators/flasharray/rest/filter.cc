#include "simulators/flasharray/rest/filter.h"

#include <fmt/format.h>

#include <cstdlib>

#include "simulators/flasharray/base/text.h"

namespace protector::fasim {

struct Filter::Node {
  enum class Kind { kAnd, kOr, kNot, kCompare, kField, kContains, kTags };
  Kind kind = Kind::kField;
  std::shared_ptr<const Node> left, right;
  std::string field, op, text, text2;
  bool quoted = false;
};

namespace {

using Node = Filter::Node;
using NodePtr = std::shared_ptr<const Node>;

struct Token {
  enum class Kind { kEnd, kWord, kText, kOp, kOpen, kClose, kComma } kind = Kind::kEnd;
  std::string text;
};

class Lexer {
 public:
  explicit Lexer(const std::string& text) : text_(text) {}

  Token Next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (at_ >= text_.size()) return {};
    const char c = text_[at_];
    if (c == '(') return One(Token::Kind::kOpen);
    if (c == ')') return One(Token::Kind::kClose);
    if (c == ',') return One(Token::Kind::kComma);
    if (c == '\'' || c == '"') return Quoted(c);
    if (std::string("=!<>").find(c) != std::string::npos) {
      std::string op(1, c);
      ++at_;
      if (at_ < text_.size() && text_[at_] == '=') {
        op += '=';
        ++at_;
      }
      if (op == "!") throw ApiError("Invalid filter: '!' without '='.");
      return {Token::Kind::kOp, op == "==" ? "=" : op};
    }
    std::string word;
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) == 0 &&
           std::string("(),'\"=!<>").find(text_[at_]) == std::string::npos) {
      word += text_[at_++];
    }
    return {Token::Kind::kWord, word};
  }

 private:
  Token One(Token::Kind kind) { return {kind, std::string(1, text_[at_++])}; }
  Token Quoted(char quote) {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        out += text_[++at_];
      } else if (text_[at_] == quote) {
        ++at_;
        return {Token::Kind::kText, out};
      } else {
        out += text_[at_];
      }
    }
    throw ApiError("Invalid filter: a string does not end.");
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

class Parser {
 public:
  explicit Parser(const std::string& text) : lexer_(text) { Advance(); }

  NodePtr Whole() {
    NodePtr node = Or();
    if (token_.kind != Token::Kind::kEnd) throw ApiError(fmt::format("Invalid filter near '{}'.", token_.text));
    return node;
  }

 private:
  void Advance() { token_ = lexer_.Next(); }
  bool IsWord(const char* word) const { return token_.kind == Token::Kind::kWord && Lower(token_.text) == word; }
  void Expect(Token::Kind kind, const char* what) {
    if (token_.kind != kind) throw ApiError(fmt::format("Invalid filter: {} expected near '{}'.", what, token_.text));
  }

  static NodePtr Pair(Node::Kind kind, NodePtr left, NodePtr right) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->left = std::move(left);
    node->right = std::move(right);
    return node;
  }

  NodePtr Or() {
    NodePtr left = And();
    while (IsWord("or")) {
      Advance();
      left = Pair(Node::Kind::kOr, left, And());
    }
    return left;
  }
  NodePtr And() {
    NodePtr left = Not();
    while (IsWord("and")) {
      Advance();
      left = Pair(Node::Kind::kAnd, left, Not());
    }
    return left;
  }
  NodePtr Not() {
    if (IsWord("not")) {
      Advance();
      return Pair(Node::Kind::kNot, Not(), nullptr);
    }
    return Primary();
  }
  NodePtr Primary() {
    // The depth is bounded so that a hostile expression cannot exhaust the stack.
    if (++depth_ > 200) throw ApiError("Invalid filter: too deeply nested.");
    NodePtr node;
    if (token_.kind == Token::Kind::kOpen) {
      Advance();
      node = Or();
      Expect(Token::Kind::kClose, "')'");
      Advance();
    } else {
      node = Term();
    }
    --depth_;
    return node;
  }
  NodePtr Term() {
    Expect(Token::Kind::kWord, "a field");
    if (IsWord("and") || IsWord("or")) throw ApiError(fmt::format("Invalid filter near '{}'.", token_.text));
    auto node = std::make_shared<Node>();
    node->field = token_.text;
    Advance();
    if (token_.kind == Token::Kind::kOpen) return Call(node);
    if (token_.kind != Token::Kind::kOp) return node;
    node->kind = Node::Kind::kCompare;
    node->op = token_.text;
    Advance();
    if (token_.kind != Token::Kind::kText && token_.kind != Token::Kind::kWord) {
      throw ApiError(fmt::format("Invalid filter: a value expected after {} {}.", node->field, node->op));
    }
    node->quoted = token_.kind == Token::Kind::kText;
    node->text = token_.text;
    Advance();
    return node;
  }
  NodePtr Call(const std::shared_ptr<Node>& node) {
    const std::string name = Lower(node->field);
    if (name != "contains" && name != "tags")
      throw ApiError(fmt::format("Invalid filter: unknown function {}.", node->field));
    node->kind = name == "contains" ? Node::Kind::kContains : Node::Kind::kTags;
    Advance();
    node->field = Argument();
    Expect(Token::Kind::kComma, "','");
    Advance();
    node->text = Argument();
    Expect(Token::Kind::kClose, "')'");
    Advance();
    return node;
  }
  std::string Argument() {
    if (token_.kind != Token::Kind::kText && token_.kind != Token::Kind::kWord) {
      throw ApiError("Invalid filter: an argument is missing.");
    }
    std::string text = token_.text;
    Advance();
    return text;
  }

  Lexer lexer_;
  Token token_;
  int depth_ = 0;
};

std::optional<double> AsNumber(const std::string& text) {
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional<double>(value) : std::nullopt;
}

template <class T>
bool Ordered(const T& left, const std::string& op, const T& right) {
  if (op == "<") return left < right;
  if (op == ">") return left > right;
  if (op == "<=") return left <= right;
  return left >= right;
}

bool IsEquality(const std::string& op) {
  return op == "=" || op == "!=";
}

bool Equals(const Json& value, const Node& node) {
  if (value.is_null()) return !node.quoted && Lower(node.text) == "null";
  if (value.is_boolean()) return Lower(node.text) == (value.get<bool>() ? "true" : "false");
  if (value.is_number()) {
    const auto number = AsNumber(node.text);
    return number && value.get<double>() == *number;
  }
  return value.is_string() && GlobMatch(node.text, value.get_ref<const std::string&>());
}

bool Compare(const Json& value, const Node& node) {
  if (value.is_number()) {
    const auto number = AsNumber(node.text);
    return number && Ordered(value.get<double>(), node.op, *number);
  }
  return value.is_string() && Ordered(Lower(value.get<std::string>()), node.op, Lower(node.text));
}

bool MatchesTag(const Json& item, const Node& node) {
  for (const Json& tag : item.value("_tags", Json::array())) {
    if (tag.value("key", "") == node.field && GlobMatch(node.text, tag.value("value", ""))) return true;
  }
  return false;
}

bool Eval(const Node& node, const Json& item) {
  switch (node.kind) {
    case Node::Kind::kAnd:
      return Eval(*node.left, item) && Eval(*node.right, item);
    case Node::Kind::kOr:
      return Eval(*node.left, item) || Eval(*node.right, item);
    case Node::Kind::kNot:
      return !Eval(*node.left, item);
    case Node::Kind::kTags:
      return MatchesTag(item, node);
    default:
      break;
  }
  const auto values = ValuesAt(item, node.field);
  if (node.kind == Node::Kind::kCompare && IsEquality(node.op)) {
    bool any = false;
    for (const Json* value : values) any = any || Equals(*value, node);
    return node.op == "=" ? any : !any;
  }
  for (const Json* value : values) {
    if (node.kind == Node::Kind::kField && value->is_boolean() && value->get<bool>()) return true;
    if (node.kind == Node::Kind::kContains && value->is_string() &&
        Lower(value->get<std::string>()).find(Lower(node.text)) != std::string::npos) {
      return true;
    }
    if (node.kind == Node::Kind::kCompare && Compare(*value, node)) return true;
  }
  return false;
}

std::optional<std::string> NameOf(const Node& node) {
  if (node.kind == Node::Kind::kAnd) {
    auto left = NameOf(*node.left);
    return left ? left : NameOf(*node.right);
  }
  if (node.kind != Node::Kind::kCompare || node.op != "=" || node.field != "name") return std::nullopt;
  const auto star = node.text.find_first_of("*?");
  if (star == std::string::npos) return node.text;
  return star == 0 ? std::nullopt : std::optional<std::string>(node.text.substr(0, star) + "*");
}

}  // namespace

std::vector<const Json*> ValuesAt(const Json& item, const std::string& path) {
  std::vector<const Json*> now{&item};
  for (const std::string& part : Split(path, '.')) {
    std::vector<const Json*> next;
    for (const Json* value : now) {
      if (!value->is_object()) continue;
      const auto it = value->find(part);
      if (it == value->end()) continue;
      if (it->is_array()) {
        for (const Json& element : *it) next.push_back(&element);
      } else {
        next.push_back(&*it);
      }
    }
    now = std::move(next);
  }
  return now;
}

Filter Filter::Parse(const std::string& text) {
  Filter filter;
  if (text.find_first_not_of(" \t") != std::string::npos) filter.root_ = Parser(text).Whole();
  return filter;
}

bool Filter::Matches(const Json& item) const {
  return !root_ || Eval(*root_, item);
}

std::optional<std::string> Filter::NamePattern() const {
  return root_ ? NameOf(*root_) : std::nullopt;
}

}  // namespace protector::fasim
