#include <chrono>

#include "scenes.h"

namespace nnext::testing {

namespace {

class Settings {
 public:
  Settings() : course_(kCase) {
    for (std::uint64_t seed : {1, 2}) {
      runtime::Cancel cancel;
      Trainer<float> other(seed, kCase.layers, {}, true, {}, cancel);
      const train::StateCopy<float> state = other.copy_state();
      sets_.push_back(logical(other, state));
      put(sets_.back());
      record_.states.emplace(0, digest(course_.trainer().copy_state().parameters));
      record_.add_outputs(course_);
    }
    course_.settle(0, [] {});
  }

  Course& course() { return course_; }
  void train(std::uint64_t id) {
    try_to([&] {
      course_.trainer().begin_fit(id);
      try_to([&] {
        runtime::Cancel cancel;
        course_.epoch(cancel);
      });
      course_.trainer().end_fit(id, false);
    });
  }
  void change(Random& random) {
    Trainer<float>& trainer = course_.trainer();
    runtime::Cancel cancel;
    const Config optimizers[] = {sgd(), sgd(0.9), adam(), adam("NAdam")}, losses[] = {mse(), huber(0.5)};
    switch (random.bits() % 4) {
      case 0:
        return put(sets_[random.bits() % 2]);
      case 1:
        return trainer.compile(&losses[random.bits() % 2], optimizers[random.bits() % 4], "float32",
                               {.clip_norm = random.bits() % 2 == 0 ? 0 : 0.1, .ema = random.bits() % 2 == 0 ? 0 : 0.9},
                               cancel);
      case 2:
        return trainer.set_trainable({random.bits() % 2 == 0 ? "0" : "2"}, random.bits() % 2 == 0, cancel);
      default:
        return trainer.set_counters({random.bits() % 100, random.bits() % 100}, cancel);
    }
  }
  void observe(Random& random) {
    observe_outputs(course_, record_, random);
    if (!record_.outputs.contains(course_.evaluate())) Findings::fail(kCase.name, "an evaluation saw half a change");
    if (!record_.states.contains({0, digest(course_.trainer().copy_state().parameters)}))
      Findings::fail(kCase.name, "a copy of the parameters is half of one set");
    course_.trainer().frozen();
  }

 private:
  using Set = std::vector<std::vector<float>>;

  static inline const Case kCase = case_at_rest("settings");

  static Set logical(const Trainer<float>& trainer, const train::StateCopy<float>& state) {
    Set set;
    trainer.section().for_parameters([&](const auto& node, const auto& parameter, Size index) {
      Size count = 1;
      for (const Size side : parameter.shape) count *= side;
      set.emplace_back(count);
      node.layer->to_logical(index - node.first_parameter, state.parameters[index].data(), set.back().data(), nullptr);
    });
    return set;
  }
  void put(const Set& set) {
    std::vector<train::GivenNumbers<float>> given;
    for (Size i = 0; i < set.size(); ++i) given.push_back({i, set[i].data()});
    runtime::Cancel cancel;
    course_.trainer().set_parameters(given, {}, cancel);
  }

  Course course_;
  std::vector<Set> sets_;
  Record record_;
};

// Whoever waits to change parameters asks the host meanwhile, and that may predict with the same network.
void predict_while_waiting(Course& course) {
  std::atomic<bool> reads{false}, asked{false};
  std::thread reader([&] {
    const runtime::Gate::Reader inside(course.trainer().section().network().gate);
    reads.store(true);
    while (!asked.load()) std::this_thread::yield();
  });
  while (!reads.load()) std::this_thread::yield();
  {
    const Host host([&] {
      course.predict(0, 1);
      asked.store(true);
      return false;
    });
    runtime::Cancel cancel;
    course.trainer().set_counters({}, cancel);
  }
  reader.join();
}

}  // namespace

void settings(Random& random) {
  Settings all;
  predict_while_waiting(all.course());
  Crowd crowd;
  crowd.add(change_threads);
  for (int i = 0; i < 2; ++i) {
    crowd.add([&](Random& mine) { all.observe(mine); });
    crowd.add([&, id = static_cast<std::uint64_t>(i + 1)](Random&) { all.train(id); });
  }
  for (int i = 0; i < 300; ++i) {
    try_to([&] { all.change(random); });
    std::this_thread::sleep_for(std::chrono::microseconds(random.bits() % 3000));
  }
}

}  // namespace nnext::testing
