package routes

import (
	"bytes"
	"image"
	"image/color"
	"image/png"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// Sizes of a QR image: pixels a module, for sharp screens, and modules of white around the code (ISO/IEC 18004 asks for four).
const (
	qrScale = 10
	qrQuiet = 4
)

// QRPNG draws a QR code, black on white with its quiet zone, as a square PNG of ten pixels a module.
func QRPNG(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.L, qr.Auto)
	if err != nil {
		return nil, err
	}
	side := code.Bounds().Dx() * qrScale
	scaled, err := barcode.Scale(code, side, side)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	err = encoder.Encode(&b, quietZone{scaled, side + 2*qrQuiet*qrScale})
	return b.Bytes(), err
}

// quietZone is a code in the middle of a white square; without the white around it, phones find it badly.
type quietZone struct {
	code image.Image
	side int
}

// ColorModel has two colours in mind: one byte a pixel is enough.
func (z quietZone) ColorModel() color.Model { return color.GrayModel }

// Bounds is the white square.
func (z quietZone) Bounds() image.Rectangle { return image.Rect(0, 0, z.side, z.side) }

// At is white outside the code.
func (z quietZone) At(x, y int) color.Color {
	edge := (z.side - z.code.Bounds().Dx()) / 2
	p := image.Pt(x-edge, y-edge).Add(z.code.Bounds().Min)
	if !p.In(z.code.Bounds()) {
		return color.Gray{Y: 255}
	}
	return color.GrayModel.Convert(z.code.At(p.X, p.Y))
}
