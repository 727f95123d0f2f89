#include "simulators/flasharray/rest/filter.h"

#include <catch2/catch.hpp>

namespace protector::fasim {
namespace {

const Json kItem = {{"name", "CT0.ETH4"},
                    {"progress", 1.0},
                    {"is_local", true},
                    {"destroyed", false},
                    {"created", 1700000000000},
                    {"iqns", {"iqn.a:1", "iqn.b:2"}},
                    {"pod", {{"name", nullptr}}},
                    {"eth", {{"subtype", "vif"}}},
                    {"arrays", {{{"name", "x"}, {"status", "online"}}, {{"name", "y"}, {"status", "offline"}}}},
                    {"_tags", {{{"key", "k"}, {"value", "v1"}, {"namespace", "n"}}}}};

bool Matches(const std::string& text) {
  return Filter::Parse(text).Matches(kItem);
}

}  // namespace

TEST_CASE("the filters of real clients") {
  CHECK(Matches("iqns='iqn.b:2' and is_local"));
  CHECK_FALSE(Matches("iqns='iqn.c:3' and is_local"));
  CHECK_FALSE(Matches("not is_local"));
  CHECK(Matches("name='CT0.*'"));
  CHECK_FALSE(Matches("name='CT1.*'"));
  CHECK(Matches("eth.subtype='lacp_bond' or eth.subtype='vif'"));
  CHECK(Matches("progress=\"1.0\""));
  CHECK(Matches("progress=1"));
  CHECK(Matches("progress='1'"));
  CHECK_FALSE(Matches("progress='0.99'"));
  CHECK_FALSE(Matches("pod.name='p'"));
  CHECK(Matches(""));
}

TEST_CASE("comparison, precedence and parentheses") {
  CHECK(Matches("created>1600000000000"));
  CHECK_FALSE(Matches("created>='1800000000000'"));
  CHECK(Matches("name>='CT0' and name<'CT1'"));
  CHECK(Matches("destroyed or is_local and not destroyed"));
  CHECK_FALSE(Matches("(destroyed or is_local) and destroyed"));
  CHECK(Matches("NOT destroyed AND is_local"));
  CHECK(Matches("is_local=true"));
  CHECK(Matches("destroyed!=true"));
  CHECK(Matches("pod.name=null"));
}

TEST_CASE("a list matches when any element does, and differs only when none does") {
  CHECK(Matches("arrays.status='offline'"));
  CHECK(Matches("arrays.name='x'"));
  CHECK_FALSE(Matches("iqns!='iqn.a:1'"));
  CHECK(Matches("iqns!='iqn.z:9'"));
}

TEST_CASE("functions") {
  CHECK(Matches("contains(name,'eth')"));
  CHECK_FALSE(Matches("contains(name,'fc')"));
  CHECK(Matches("tags('k','v*')"));
  CHECK_FALSE(Matches("tags('k','w')"));
}

TEST_CASE("what cannot be read is refused") {
  for (const char* wrong : {"name=", "=1", "name='open", "(name='x'", "name='x')", "nothing(1,2)", "contains(name)",
                            "a ! b", "and", "name='a' or", "not"}) {
    INFO(wrong);
    CHECK_THROWS_AS(Filter::Parse(wrong), ApiError);
  }
  CHECK_THROWS_AS(Filter::Parse(std::string(100000, '(')), ApiError);
}

TEST_CASE("the name that every match must have is found") {
  CHECK(Filter::Parse("name='x'").NamePattern() == "x");
  CHECK(Filter::Parse("destroyed=false and name='src:pg.1.*'").NamePattern() == "src:pg.1.*");
  CHECK(Filter::Parse("name='a*b'").NamePattern() == "a*");
  CHECK_FALSE(Filter::Parse("name='*b'").NamePattern());
  CHECK_FALSE(Filter::Parse("name='x' or name='y'").NamePattern());
  CHECK_FALSE(Filter::Parse("not name='x'").NamePattern());
}

}  // namespace protector::fasim
