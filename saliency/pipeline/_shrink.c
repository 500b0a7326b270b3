/* Rows of bytes made shorter: each new pixel is a weighted mean of neighbours in its row. Sums are
 * of whole numbers, so no order changes a value. resize.py makes the weights; where this file was
 * not compiled Pillow comes to the same bytes.
 *
 * A weight w is below 1 << BITS, which stands for 1. Processors multiply and add pairs of 16 bits
 * in one instruction and w has 22, so a byte p and w become pairs of 15:
 *     p * w = p * (w mod 2^15) + (p * 2^7) * ((w div 2^15) * 2^8)
 * Weights add up to 1, so a sum has 30 bits. */

#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>

/* Neighbours are counted in blocks; where the last block leaves the row it meets zeros. */
enum { BITS = 22, BLOCK = 8, PAIR = 2 * sizeof(int16_t) };

typedef struct {
    Py_ssize_t rows, width, count, blocks; /* pixels of a row, of a new one, their neighbours */
    const uint8_t *pixels;                 /* (rows, width) */
    const int32_t *first;                  /* (count,): the first neighbour */
    const int16_t *weights;                /* (count, blocks, BLOCK, 2) */
    uint8_t *found;                        /* (rows, count) */
} Picture;

/* Whether all neighbours lie in a row or its zeros, and there is room for the rows and no more. */
static int fits(const Picture *all, Py_ssize_t pixels, Py_ssize_t weights, Py_ssize_t found) {
    for (Py_ssize_t k = 0; k < all->count; k++)
        if (all->first[k] < 0 || all->first[k] > all->width + BLOCK - 1 - all->blocks * BLOCK)
            return 0;
    return weights == all->count * all->blocks * BLOCK * PAIR &&
           pixels == all->rows * all->width && found % all->count == 0 &&
           found / all->count == all->rows;
}

static uint8_t mean(const int16_t *pairs, const int16_t *weights, Py_ssize_t blocks) {
    uint32_t sum = 1u << (BITS - 1); /* a half is rounded upwards */
    for (Py_ssize_t i = 0; i < blocks * BLOCK * 2; i++)
        sum += (uint32_t)(pairs[i] * weights[i]);
    sum >>= BITS;
    return sum > 255 ? 255 : (uint8_t)sum; /* rounded weights may add up to a bit above 1 */
}

static void shrink_row(const Picture *all, Py_ssize_t row, int16_t *line) {
    const uint8_t *pixels = all->pixels + row * all->width;
    for (Py_ssize_t i = 0; i < all->width; i++) {
        line[2 * i] = pixels[i];
        line[2 * i + 1] = (int16_t)(pixels[i] << 7);
    }
    for (Py_ssize_t k = 0; k < all->count; k++)
        all->found[row * all->count + k] =
            mean(line + 2 * (Py_ssize_t)all->first[k],
                 all->weights + k * all->blocks * BLOCK * 2, all->blocks);
}

/* Returns 0 and sets an exception where sizes do not fit. */
static int shrink_all(const Picture *all, const Py_buffer *views) {
    if (!fits(all, views[0].len, views[2].len, views[3].len)) {
        PyErr_SetString(PyExc_ValueError, "shrink: expected whole rows, weights in whole blocks, "
                                          "neighbours in the row, and room for as many rows.");
        return 0;
    }
    int16_t *line = PyMem_Calloc(all->width + BLOCK, PAIR);
    if (!line)
        return PyErr_NoMemory(), 0;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < all->rows; row++)
        shrink_row(all, row, line);
    Py_END_ALLOW_THREADS
    PyMem_Free(line);
    return 1;
}

static PyObject *shrink(PyObject *self, PyObject *args) {
    Py_buffer views[4];
    Py_ssize_t width;
    if (!PyArg_ParseTuple(args, "y*ny*y*w*", &views[0], &width, &views[1], &views[2], &views[3]))
        return NULL;
    const Py_ssize_t count = views[1].len / sizeof(int32_t);
    int done = 0;
    if (width < 1 || width > INT32_MAX || count < 1)
        PyErr_SetString(PyExc_ValueError, "shrink: expected rows of 1 to 2^31 - 1 pixels, before "
                                          "and after.");
    else {
        const Picture all = {
            views[0].len / width, width, count, views[2].len / count / (BLOCK * PAIR),
            views[0].buf, views[1].buf, views[2].buf, views[3].buf,
        };
        done = shrink_all(&all, views);
    }
    for (int k = 0; k < 4; k++)
        PyBuffer_Release(&views[k]);
    if (!done)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"shrink", shrink, METH_VARARGS,
     "shrink(pixels, width, first, weights, found): rows of width pixels to rows of len(first)."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "saliency.pipeline._shrink", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__shrink(void) { return PyModuleDef_Init(&module); }
