// What is known of the network of a classifier. One says
//
//     name          what --model and files of weights call it
//     about         a few words for --help
//     last_image    its last part that still has an image: explain looks there
//     size          of its images, and how many classes it has, where it can have no others
//     make          the network for images of so many channels, in so many classes
#pragma once

#include <ebb/tensor/tensor.hpp>

// 0: any.
struct FixedSize {
  ebb::Index channels = 0, classes = 0, side = 0;

  constexpr bool any() const { return channels == 0 && classes == 0 && side == 0; }
};

template <class... C>
struct ClassifierList {};
