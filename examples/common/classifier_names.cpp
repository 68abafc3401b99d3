#include "classifier_names.hpp"

#include "../models/classifiers.hpp"

const std::vector<ClassifierFacts>& classifiers() {
  static const auto all = [] {
    std::vector<ClassifierFacts> facts;
    each_classifier([&]<class C>(C) { facts.push_back({C::name, C::about, C::size}); });
    return facts;
  }();
  return all;
}

std::vector<std::string> free_classifiers() {
  std::vector<std::string> names;
  for (const ClassifierFacts& c : classifiers())
    if (c.size.any()) names.push_back(c.name);
  return names;
}
