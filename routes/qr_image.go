package routes

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"sync"

	qr "github.com/piglig/go-qr"
)

// Sizes of a QR image: pixels a module, for sharp screens, and modules of white around the code (ISO/IEC 18004 asks for four;
// without it phones find the code badly).
const (
	qrScale = 10
	qrQuiet = 4
)

// qrColors are the two of a code: white paper, dark modules.
var qrColors = color.Palette{color.White, color.Black}

// qrPNG keeps its compressors, each of which takes a megabyte, for the next picture.
var qrPNG = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: new(pngBuffers)}

type pngBuffers struct{ pool sync.Pool }

// Get implements png.EncoderBufferPool; nil makes the encoder allocate one.
func (p *pngBuffers) Get() *png.EncoderBuffer {
	b, _ := p.pool.Get().(*png.EncoderBuffer)
	return b
}

// Put implements png.EncoderBufferPool.
func (p *pngBuffers) Put(b *png.EncoderBuffer) { p.pool.Put(b) }

// QRPNG draws a QR code, black on white with its quiet zone, as a square PNG of ten pixels a module.
func QRPNG(text string) ([]byte, error) {
	code, err := qr.EncodeText(text, qr.Low)
	if err != nil {
		return nil, err
	}
	side := (code.Size() + 2*qrQuiet) * qrScale
	picture := image.NewPaletted(image.Rect(0, 0, side, side), qrColors)
	for y := range code.Size() {
		top := (qrQuiet + y) * qrScale * picture.Stride
		line := picture.Pix[top : top+picture.Stride]
		for x := range code.Size() {
			if code.Module(x, y) {
				for i := range qrScale {
					line[(qrQuiet+x)*qrScale+i] = 1
				}
			}
		}
		for i := 1; i < qrScale; i++ {
			copy(picture.Pix[top+i*picture.Stride:], line)
		}
	}
	var b bytes.Buffer
	err = qrPNG.Encode(&b, picture)
	return b.Bytes(), err
}
