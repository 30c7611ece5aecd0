package bot

// shopScript serves businesses that sell goods and take orders by chat.
func shopScript() script {
	return script{
		intro: text{
			sw: "Karibu *{business}*. Mimi ni msaidizi wa kiotomatiki; naweza kupokea oda yako na kujibu maswali.",
			en: "Welcome to *{business}*. I'm the automatic assistant; I can take your order and answer questions.",
		},
		parts: []part{partWelcome, partMenu, partOffers("products"), partAnswers(IntentDelivery, IntentPayment, IntentWhere, IntentHuman),
			partQuestions, partHours},
		example: text{sw: "agiza", en: "order"},
		menu: []menuItem{
			{IntentOrder, text{sw: "Agiza bidhaa", en: "Place an order"}},
			{IntentProducts, text{sw: "Bidhaa na bei", en: "Products and prices"}},
			{IntentDelivery, text{sw: "Usafirishaji", en: "Delivery"}},
			{IntentPayment, text{sw: "Malipo", en: "Payment"}},
			{IntentHours, text{sw: "Saa za kazi", en: "Opening hours"}},
			{IntentHuman, text{sw: "Ongea na mtu", en: "Talk to a person"}},
		},
		listens: []listening{
			{IntentCancel, []string{
				"ghairi", "kughairi", "nighairi", "kufuta oda", "futa oda", "kusitisha oda", "cancel", "cancel order", "cancel my order", "cancellation",
				"refund", "rudisha bidhaa", "kurudisha bidhaa", "nirudishiwe", "return my order",
			}},
			{IntentStatus, []string{
				"oda yangu", "order yangu", "mzigo wangu", "nimeagiza", "niliagiza", "my order", "order status", "where is my order", "where is my parcel",
				"my package", "my parcel", "track", "tracking", "i ordered", "oda yangu iko wapi", "mzigo wangu uko wapi",
			}},
			{IntentDelivery, []string{
				"usafirishaji", "kusafirisha", "mnasafirisha", "mnaleta", "mniletee", "niletewe", "mnatuma", "mnatuma mikoani", "mikoani", "kutuma mzigo",
				"delivery", "deliveries", "deliver", "shipping", "ship", "delivery cost", "delivery fee",
			}},
			{IntentPrice, []string{
				"bei", "bei gani", "gharama", "shilingi ngapi", "sh ngapi", "shingapi", "kiasi gani", "mnauzaje", "unauzaje", "inauzwaje", "price", "prices",
				"cost", "costs", "how much", "price list", "punguzo", "discount", "discounts",
			}},
			{IntentPayment, []string{
				"malipo", "kulipa", "nalipa", "nalipaje", "nalipia", "nilipe", "lipa", "lipa namba", "payment", "payments", "pay", "paying", "how to pay",
				"mpesa", "m pesa", "tigopesa", "tigo pesa", "airtel money", "halopesa", "mixx by yas", "credit card", "bank transfer",
			}},
			{IntentOrder, []string{
				"agiza", "kuagiza", "naagiza", "niagize", "nataka kuagiza", "agizo", "oda", "odar", "kununua", "nunua", "ninunue", "nanunua", "order", "orders",
				"ordering", "place an order", "buy", "buying", "purchase", "agiza bidhaa",
			}},
			{IntentProducts, []string{
				"bidhaa", "bidha", "bidhaa zenu", "bidhaa gani", "bidhaa na bei", "mnauza nini", "mnauza", "mzigo mpya", "katalogi", "products", "product", "catalog",
				"catalogue", "items", "what do you sell", "do you sell", "stock", "products and prices",
			}},
		},
		answers: map[string]text{
			IntentProducts: {
				sw: "Timu ya {business} itakueleza hapa bidhaa zilizopo na bei zake. Andika *mtu* ukitaka wakujibu, au *agiza* kama tayari unajua unachotaka.",
				en: "The team at {business} will tell you here what is available and what it costs. Write *human* if you'd like them to answer, or *order* if you already know what you want.",
			},
			IntentPrice: {
				sw: "Bei inategemea bidhaa na idadi, na timu ya {business} ndiyo inayoithibitisha. Andika *agiza* kutuma ombi la oda, au *mtu* kuuliza bei.",
				en: "The price depends on the product and the quantity, and the team at {business} confirms it. Write *order* to send an order request, or *human* to ask for a price.",
			},
			IntentDelivery: {
				sw: "Usafirishaji, muda na gharama zake hutegemea mahali ulipo; timu ya {business} itathibitisha. Andika *agiza* kutuma ombi la oda, au *mtu* kuuliza zaidi.",
				en: "Delivery, its time and its cost depend on where you are; the team at {business} confirms them. Write *order* to send an order request, or *human* to ask more.",
			},
			IntentPayment: {
				sw: "Timu ya {business} itakueleza hapa njia za malipo. Tafadhali usitume pesa kabla timu haijathibitisha oda na kukupa maelekezo. Andika *mtu* ukitaka wakujibu.",
				en: "The team at {business} will tell you here how to pay. Please don't send money before the team has confirmed your order and given you instructions. Write *human* if you'd like them to answer.",
			},
			IntentStatus: {
				sw: "Mimi siwezi kuona oda yako imefikia wapi, lakini timu ya {business} inaweza. Andika *mtu* na timu itakujibu hapa.",
				en: "I can't see how far your order is, but the team at {business} can. Write *human* and they will answer you here.",
			},
		},
		listed: map[string]text{
			IntentProducts: {
				sw: "*Bidhaa za {business}*\n{offers}\n\nAndika *agiza* kutuma ombi la oda.",
				en: "*Products at {business}*\n{offers}\n\nWrite *order* to send an order request.",
			},
			IntentPrice: {
				sw: "*Bei za {business}*\n{offers}\n\nTimu itathibitisha bei ya mwisho. Andika *agiza* kutuma ombi la oda.",
				en: "*Prices at {business}*\n{offers}\n\nThe team confirms the final price. Write *order* to send an order request.",
			},
		},
		flows: map[string]flow{
			IntentOrder: {
				steps: []step{
					{
						name: "product", kind: stepOffer,
						ask: text{
							sw: "Vizuri! *Ungependa kuagiza bidhaa gani?* Iandike kwa maneno machache, pamoja na rangi au saizi kama inahitajika. (Andika *menu* wakati wowote kuacha.)",
							en: "Great! *Which product would you like to order?* Write it in a few words, with colour or size if it matters. (Write *menu* at any time to stop.)",
						},
						pick: text{
							sw: "Vizuri! *Ungependa kuagiza bidhaa gani?*\n{choices}\n\nJibu kwa namba au iandike. (Andika *menu* wakati wowote kuacha.)",
							en: "Great! *Which product would you like to order?*\n{choices}\n\nReply with a number or write it. (Write *menu* at any time to stop.)",
						},
						again: text{
							sw: "Tafadhali andika jina la bidhaa unayotaka, au *menu* kuacha.",
							en: "Please write the product you would like, or *menu* to stop.",
						},
					},
					{
						name: "quantity", kind: stepQuantity,
						ask: text{
							sw: "Sawa: {product}. *Unahitaji idadi gani?* Mfano: 2.",
							en: "Got it: {product}. *How many would you like?* For example: 2.",
						},
						again: text{
							sw: "Tafadhali andika idadi kwa namba, mfano: 2. Au andika *menu* kuacha.",
							en: "Please write how many as a number, for example: 2. Or write *menu* to stop.",
						},
					},
				},
				confirm: text{
					sw: "Tafadhali hakiki oda yako:\nBidhaa: {product}\nIdadi: {quantity}\n\nNi sahihi? Jibu *1* ndiyo, au *2* hapana.",
					en: "Please check your order:\nProduct: {product}\nQuantity: {quantity}\n\nIs that right? Reply *1* for yes or *2* for no.",
				},
				done: text{
					sw: "Asante! Nimepokea ombi lako la oda:\nBidhaa: {product}\nIdadi: {quantity}\n\nOda bado haijathibitishwa: timu ya {business} itakujibu hapa kuhusu upatikanaji, bei na malipo.",
					en: "Thank you! I've noted your order request:\nProduct: {product}\nQuantity: {quantity}\n\nIt is not confirmed yet: the team at {business} will reply here about availability, price and payment.",
				},
			},
			IntentCancel: {
				steps: []step{{
					name: "order", kind: stepWords,
					ask: text{
						sw: "Sawa. *Ni oda ipi, na ungependa tufanye nini?* Andika bidhaa na siku uliyoagiza. (Andika *menu* kuacha.)",
						en: "All right. *Which order is it, and what should happen with it?* Write the product and the day you ordered. (Write *menu* to stop.)",
					},
					again: text{
						sw: "Tafadhali andika bidhaa na siku uliyoagiza, au *menu* kuacha.",
						en: "Please write the product and the day you ordered, or *menu* to stop.",
					},
				}},
				done: text{
					sw: "Asante, nimepokea ombi lako: {order}\n\nTimu ya {business} itakujibu hapa kulithibitisha.",
					en: "Thank you, I've noted your request: {order}\n\nThe team at {business} will reply here to confirm it.",
				},
			},
		},
	}
}
