// runtime/variables/regularizers.h - weight regularisers of Keras and slim, with TensorFlow's op names. Rule C12.
#pragma once
#include "runtime/variables/variables.h"

namespace equiv::runtime {

// float32(2*l) * sum(w^2)/2. tf: tf.keras.regularizers.L2
Regularizer L2(double l2 = 0.01);
// l * sum|w|. tf: tf.keras.regularizers.L1
Regularizer L1(double l1 = 0.01);
// The sum of both. tf: tf.keras.regularizers.L1L2
Regularizer L1L2(double l1 = 0.0, double l2 = 0.0);

namespace slim {
// scale * sum(w^2)/2; none for a scale of 0, ValueError for a negative one. tf: slim.l2_regularizer
Regularizer L2Regularizer(double scale);
// scale * sum|w|. tf: slim.l1_regularizer
Regularizer L1Regularizer(double scale);
// The sum of both. tf: slim.l1_l2_regularizer
Regularizer L1L2Regularizer(double scale_l1 = 1.0, double scale_l2 = 1.0);
}  // namespace slim

}  // namespace equiv::runtime
