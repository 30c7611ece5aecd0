package routes

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"sync"

	qr "github.com/piglig/go-qr"
)

// Sizes of a QR image: pixels a module, for sharp screens, and modules of white around the code (ISO/IEC 18004 asks for four;
// without it phones find the code badly).
const (
	qrScale = 10
	qrQuiet = 4
)

// QRPNG draws a QR code, black on white with its quiet zone, as a square PNG of ten pixels a module.
func QRPNG(text string) ([]byte, error) {
	code, err := qr.EncodeText(text, qr.Low)
	if err != nil {
		return nil, err
	}
	side := (code.Size() + 2*qrQuiet) * qrScale
	// Rows as PNG wants them: a byte for the filter (none), then a bit a pixel, 1 for white. image/png would ask for the colour
	// of each of half a million pixels.
	width := 1 + (side+7)/8
	rows := bytes.Repeat([]byte{0xff}, width*side)
	for y := range side {
		row := rows[y*width : (y+1)*width]
		if y%qrScale != 0 {
			copy(row, rows[(y-1)*width:])
			continue
		}
		row[0] = 0
		for x := range code.Size() * qrScale {
			if at := qrQuiet*qrScale + x; code.Module(x/qrScale, y/qrScale-qrQuiet) {
				row[1+at/8] &^= 0x80 >> (at % 8)
			}
		}
	}
	return blackAndWhitePNG(side, rows)
}

// compressors are kept for the next picture: each takes a megabyte.
var compressors = sync.Pool{New: func() any {
	w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed) // fails for an unknown level only
	return w
}}

// blackAndWhitePNG wraps the rows of a square of grey values with one bit each; see RFC 2083.
func blackAndWhitePNG(side int, rows []byte) ([]byte, error) {
	var data bytes.Buffer
	w := compressors.Get().(*zlib.Writer)
	defer compressors.Put(w)
	w.Reset(&data)
	if _, err := w.Write(rows); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	size := binary.BigEndian.AppendUint32(nil, uint32(side))
	header := append(append(size, size...), 1, 0, 0, 0, 0) // one bit, grey, and the only methods there are
	png := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []struct {
		kind string
		data []byte
	}{{"IHDR", header}, {"IDAT", data.Bytes()}, {"IEND", nil}} {
		png = binary.BigEndian.AppendUint32(png, uint32(len(chunk.data)))
		from := len(png)
		png = append(append(png, chunk.kind...), chunk.data...)
		png = binary.BigEndian.AppendUint32(png, crc32.ChecksumIEEE(png[from:]))
	}
	return png, nil
}
