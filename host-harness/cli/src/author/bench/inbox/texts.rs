//! Owns: what generated customers are called and write, in several languages and scripts.
//! Does not own: who writes when (`people`).

/// A language: names and sentences of those who write it. `{}` is the number of an order.
pub(super) struct Language {
    pub(super) given: &'static [&'static str],
    pub(super) family: &'static [&'static str],
    pub(super) sentences: &'static [&'static str],
}

/// About as often as each stands here, a customer writes it.
pub(super) const LANGUAGES: &[Language] = &[
    ENGLISH, ENGLISH, ENGLISH, SPANISH, SPANISH, GERMAN, FRENCH, PORTUGUESE, ARABIC, HINDI, JAPANESE, CHINESE, THAI,
    KOREAN, RUSSIAN, TURKISH,
];

const ENGLISH: Language = Language {
    given: &["Maya", "Ben", "Grace", "Tom", "Priya", "Olivia", "Noah", "Amara", "Liam", "Zoe"],
    family: &["Okafor", "Smith", "Nair", "Walker", "Lindqvist", "Brown", "Murphy", "Clarke", "Evans", "Reid"],
    sentences: &[
        "Hello! Do you still have the tall vase in river green?",
        "Where is my order {}? It was meant to arrive on Friday.",
        "Thank you so much, it looks beautiful on the table!",
        "How much is shipping to Edinburgh?",
        "Could you please change the address of order {}?",
        "The handle arrived broken. Can I return it?",
        "Are you open on Sunday?",
        "I would like two of them, wrapped as a gift 🎁",
        "Is the mug dishwasher safe?",
        "My invoice for {} is missing, could you send it again?",
        "When does the next workshop begin?",
        "Perfect, see you then!",
    ],
};

const SPANISH: Language = Language {
    given: &["Lucía", "Tomás", "Sofía", "Mateo", "Valeria", "Joaquín"],
    family: &["Rivera", "García", "Núñez", "Castillo", "Peña", "Ortega"],
    sentences: &[
        "¡Hola! ¿Cuánto cuesta el envío a Sevilla?",
        "Mi pedido {} todavía no ha llegado.",
        "¿Tienen este modelo en azul?",
        "Muchas gracias, me encanta.",
        "Quisiera cambiar la dirección del pedido {}, por favor.",
        "¿A qué hora abren mañana?",
    ],
};

const GERMAN: Language = Language {
    given: &["Anna", "Jürgen", "Lena", "Björn", "Käthe", "Paul"],
    family: &["Müller", "Schäfer", "Weiß", "Krüger", "Vogel", "Hoffmann"],
    sentences: &[
        "Guten Tag, ist die große Schale noch lieferbar?",
        "Meine Bestellung {} ist leider beschädigt angekommen.",
        "Was kostet der Versand nach Österreich?",
        "Vielen Dank für die schnelle Antwort!",
        "Könnten Sie die Rechnung zu {} bitte noch einmal schicken?",
        "Haben Sie am Samstag geöffnet?",
    ],
};

const FRENCH: Language = Language {
    given: &["Chloé", "Étienne", "Inès", "Louis", "Zoé"],
    family: &["Lefèvre", "Moreau", "Dubois", "Garnier", "Roux"],
    sentences: &[
        "Bonjour, est-ce que ce modèle existe en bleu ?",
        "Où en est ma commande {} ?",
        "Merci beaucoup, c’est magnifique !",
        "Je voudrais être remboursée pour la commande {}.",
        "Quels sont vos horaires d’ouverture ?",
    ],
};

const PORTUGUESE: Language = Language {
    given: &["João", "Beatriz", "Tiago", "Inês", "Caio"],
    family: &["Conceição", "Araújo", "Simões", "Magalhães", "Lima"],
    sentences: &[
        "Olá! Vocês entregam em São Paulo?",
        "O meu pedido {} ainda não chegou.",
        "Muito obrigada, ficou lindo!",
        "Qual é o preço da caneca grande?",
        "Posso trocar o pedido {} por outro tamanho?",
    ],
};

const ARABIC: Language = Language {
    given: &["ليلى", "عمر", "نور", "سامي", "هدى"],
    family: &["حداد", "الخطيب", "منصور", "العلي", "ناصر"],
    sentences: &[
        "مرحباً، هل ما زال هذا الطبق متوفراً؟",
        "أين طلبي رقم {}؟",
        "شكراً جزيلاً! وصل الطلب اليوم.",
        "كم سعر التوصيل إلى عمّان؟",
        "متى تبدأ ورشة العمل القادمة؟",
    ],
};

const HINDI: Language = Language {
    given: &["प्रिया", "अर्जुन", "मीरा", "रोहन"],
    family: &["शर्मा", "नायर", "गुप्ता", "सिंह"],
    sentences: &[
        "नमस्ते, क्या यह नीले रंग में मिलेगा?",
        "मेरा ऑर्डर {} कब पहुँचेगा?",
        "बहुत धन्यवाद, बहुत सुंदर है!",
        "डिलीवरी का कितना खर्च है?",
    ],
};

const JAPANESE: Language = Language {
    given: &["さくら", "健太", "美咲", "大輔"],
    family: &["佐藤", "鈴木", "高橋", "田中"],
    sentences: &[
        "こんにちは。青い花瓶はまだありますか？",
        "注文番号{}はいつ届きますか？",
        "ありがとうございます。とても気に入りました！",
        "送料はいくらですか？",
    ],
};

const CHINESE: Language = Language {
    given: &["伟", "芳", "静", "磊"],
    family: &["王", "李", "张", "陈"],
    sentences: &["您好，这个花瓶还有蓝色的吗？", "我的订单{}什么时候到？", "非常感谢，很漂亮！", "运费是多少？"],
};

const THAI: Language = Language {
    given: &["สมชาย", "มาลี", "อรุณ", "พิมพ์"],
    family: &["ใจดี", "ศรีสุข", "ทองคำ", "วงศ์ไทย"],
    sentences: &["สวัสดีค่ะ มีสีน้ำเงินไหมคะ", "คำสั่งซื้อ {} จะมาถึงเมื่อไหร่", "ขอบคุณมากค่ะ สวยมาก", "ค่าส่งเท่าไหร่คะ"],
};

const KOREAN: Language = Language {
    given: &["민준", "서연", "지후", "하은"],
    family: &["김", "이", "박", "최"],
    sentences: &[
        "안녕하세요, 파란색 꽃병 아직 있나요?",
        "주문 {} 언제 도착하나요?",
        "정말 감사합니다, 너무 예뻐요!",
        "배송비는 얼마인가요?",
    ],
};

const RUSSIAN: Language = Language {
    given: &["Анна", "Дмитрий", "Ольга", "Сергей"],
    family: &["Иванова", "Петров", "Соколова", "Морозов"],
    sentences: &[
        "Здравствуйте, есть ли эта ваза в синем цвете?",
        "Где мой заказ {}?",
        "Большое спасибо, очень красиво!",
        "Сколько стоит доставка?",
    ],
};

const TURKISH: Language = Language {
    given: &["Ayşe", "Emre", "Zeynep", "Çağrı"],
    family: &["Yılmaz", "Şahin", "Öztürk", "Güneş"],
    sentences: &[
        "Merhaba, bu vazonun mavisi var mı?",
        "{} numaralı siparişim nerede?",
        "Çok teşekkürler, harika görünüyor!",
        "Kargo ücreti ne kadar?",
    ],
};
