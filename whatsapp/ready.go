package whatsapp

import (
	"context"
	"errors"
)

// Ready reports whether this node does its share: it holds a shard, or other nodes hold them all.
func (p *Pool) Ready(ctx context.Context) error {
	if len(p.leases.shards()) > 0 {
		return nil
	}
	free, err := p.q.CountFreeShards(ctx)
	if err != nil {
		return err
	}
	if free > 0 {
		return errors.New("this node holds no shard although some are free")
	}
	return nil
}
