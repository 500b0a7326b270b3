/* One look-up a pixel. numpy makes eight bytes of each index before it reads the table, which takes
 * longer than the look-up; codes.py does it so where this file was not compiled. */

#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>

enum { CODES = 65536 };

static void release(Py_buffer *views, int count) {
    while (count--)
        PyBuffer_Release(&views[count]);
}

static int fit(const Py_buffer *views) {
    const Py_ssize_t width = views[0].len / CODES, count = views[1].len / 2;
    return views[0].len % CODES == 0 && (width == 1 || width == 4) && views[1].len % 2 == 0 &&
           views[2].len % width == 0 && views[2].len / width == count;
}

static PyObject *look_up(PyObject *self, PyObject *args) {
    Py_buffer views[3]; /* table, index, found */
    if (!PyArg_ParseTuple(args, "y*y*w*", &views[0], &views[1], &views[2]))
        return NULL;
    if (!fit(views)) {
        release(views, 3);
        PyErr_SetString(PyExc_ValueError,
                        "look_up: expected a table of 65,536 entries of 1 or 4 bytes, and as much "
                        "room as there are indices of 2 bytes.");
        return NULL;
    }
    const uint16_t *index = views[1].buf;
    const Py_ssize_t count = views[1].len / 2;
    Py_BEGIN_ALLOW_THREADS
    if (views[0].len == CODES) {
        const uint8_t *table = views[0].buf;
        uint8_t *found = views[2].buf;
        for (Py_ssize_t k = 0; k < count; k++)
            found[k] = table[index[k]];
    } else {
        const uint32_t *table = views[0].buf;
        uint32_t *found = views[2].buf;
        for (Py_ssize_t k = 0; k < count; k++)
            found[k] = table[index[k]];
    }
    Py_END_ALLOW_THREADS
    release(views, 3);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"look_up", look_up, METH_VARARGS,
     "look_up(table, index, found): found[k] = table[index[k]]; index is uint16."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "saliency.dicom.display._look", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__look(void) { return PyModuleDef_Init(&module); }
