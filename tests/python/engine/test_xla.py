import numpy as np
import pytest

from kerascrop.backend import tf
from kerascrop.engine import xla

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_length_that_is_too_small_stops_the_graph_with_the_message(jit_compile):
    @tf.function(input_signature=[tf.TensorSpec((None, 3))], jit_compile=jit_compile)
    def count(x):
        return xla.at_least(tf.shape(x)[0], 4, "`crop` cannot cut 4")

    assert int(count(tf.zeros((5, 3)))) == 5 and int(count(tf.zeros((4, 3)))) == 4
    with pytest.raises(tf.errors.InvalidArgumentError, match="crop.*cannot.cut.4"):
        count(tf.zeros((3, 3)))


def test_sums_products_and_rows_are_plain_ones():
    x = tf.reshape(tf.range(24.0), (2, 3, 2, 2))
    assert float(tf.reduce_max(tf.abs(xla.sum_last(x) - tf.reduce_sum(x, -1)))) < 1e-5
    rows = xla.take_rows(x)(tf.constant([[2], [0]]))
    assert rows.numpy().tolist() == [[[8, 9, 10, 11]], [[12, 13, 14, 15]]]
    columns = xla.take_columns(x)(tf.constant([[1], [0]]), tf.constant([[2.0], [1.0]]))
    assert columns[0, :, 0].numpy().tolist() == [[4, 6], [12, 14], [20, 22]]
    assert float(xla.add_until(tf.constant(4), lambda step: tf.cast(step, "float32"), tf.constant(10.0), 1)) == 16


def test_a_compiled_function_is_an_ordinary_one_in_the_graph():
    double = tf.function(lambda x: xla.compiled(lambda x: 2 * x + tf.sin(x))(x), autograph=False)
    graph = double.get_concrete_function(tf.TensorSpec((None, 3))).graph.as_graph_def()
    assert not [node.name for node in graph.node if "_XlaMustCompile" in node.attr]
    assert [node.op for node in graph.node if "_XlaCompile" in node.attr] == ["PartitionedCall"]
    for n in range(1, 30):  # more shapes than TensorFlow compiles for
        x = tf.random.uniform((n, 3))
        np.testing.assert_allclose(double(x), 2 * x + np.sin(x), rtol=1e-6)
