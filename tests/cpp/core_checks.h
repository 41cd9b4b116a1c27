// The checks of core_check: what is decided before any number is computed, and where numbers come from.
#pragma once

#include <stdexcept>
#include <string>

#include "check.h"
#include "descriptions.h"
#include "nn/section.h"

namespace nnext::testing {

// Checks that hold or do not, told in the lines of a Report.
class Statements {
 public:
  Statements(const Isa& isa, Report& report) : isa_(isa), report_(report) {}

  void holds(const std::string& what, bool does) {
    report_.start(isa_, "f32", what);
    report_.finish(does);
  }
  // f() throws std::invalid_argument, and says so.
  template <class F>
  void refuses(const std::string& says, F f) {
    std::string said = "nothing";
    try {
      f();
    } catch (const std::invalid_argument& error) {
      said = error.what();
    }
    const bool does = said.find(says) != std::string::npos;
    holds("refuses: " + (does ? says : says + ", but said: " + said), does);
  }

 private:
  const Isa& isa_;
  Report& report_;
};

// A network and the section of all its layers.
struct Whole {
  explicit Whole(const std::vector<Config>& layers) : network(0, layers) {}
  nn::Network<float> network;
  nn::Section<float> section{network};
};

// Networks of every kind of neighbourhood, for what must hold in all of them.
struct Shape {
  const char* name;
  std::vector<Config> layers;
  Size in;
};
std::vector<Shape> all_shapes();

void check_configs(Statements& says);
void check_plans(Statements& says);
void check_shares(Statements& says);
void check_programs(Statements& says);
void check_sources(Statements& says);
void check_paces(Statements& says);
void check_cancels(Statements& says);
void check_lengths(Statements& says);
void check_locks(Statements& says);  // nothing where the core asserts nothing

}  // namespace nnext::testing
