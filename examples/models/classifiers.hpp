// The networks of classifiers. To add one: a file beside this one, and a line in each of the two
// lists here. medmnist then trains it; predict and explain know its files.
#pragma once

#include "cnn.hpp"
#include "mnist.hpp"
#include "resnet18.hpp"

#include <string>

using Classifiers = ClassifierList<MnistClassifier, CnnClassifier, Resnet18Classifier>;

// Calls `use(classifier)` for each.
template <class Use, class... C>
void each_classifier(ClassifierList<C...>, Use&& use) {
  (use(C()), ...);
}
template <class Use>
void each_classifier(Use&& use) {
  each_classifier(Classifiers(), use);
}
