package whatsapp

import "sync"

// cache is a bounded map: when it is full, the older half goes. Entries that are used stay.
type cache[K comparable, V any] struct {
	mu       sync.Mutex
	limit    int // entries per generation
	new, old map[K]V
}

func newCache[K comparable, V any](limit int) *cache[K, V] { return &cache[K, V]{limit: limit} }

func (c *cache[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.new[key]; ok {
		return v, true
	}
	v, ok := c.old[key]
	if ok {
		c.put(key, v)
	}
	return v, ok
}

func (c *cache[K, V]) set(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(key, v)
}

func (c *cache[K, V]) put(key K, v V) {
	if c.new == nil {
		c.new = make(map[K]V)
	}
	if len(c.new) >= c.limit {
		c.old, c.new = c.new, make(map[K]V)
	}
	c.new[key] = v
}

func (c *cache[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.new, key)
	delete(c.old, key)
}

func (c *cache[K, V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.new, c.old = nil, nil
}
