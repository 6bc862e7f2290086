//! The words of the job ads: titles, sentences, employers and cities of each country. `{title}`, `{company}` and `{city}`
//! are filled in.

/// What ads of one language are made of.
#[derive(Debug)]
pub(super) struct Language {
    /// Between sentences; Japanese has none.
    pub space: &'static str,
    pub titles: &'static [&'static str],
    pub openers: &'static [&'static str],
    pub duties: &'static [&'static str],
    pub offers: &'static [&'static str],
}

/// Where an ad comes from.
#[derive(Debug)]
pub(super) struct Country {
    pub code: &'static str,
    /// Share of all rows in thousandths.
    pub weight: u64,
    pub language: &'static Language,
    /// Minutes east of UTC.
    pub offset: i32,
    pub currency: &'static str,
    /// Lowest and highest yearly salary in thousands.
    pub salary: (u64, u64),
    /// Name, latitude and longitude in ten-thousandths of a degree.
    pub cities: &'static [(&'static str, i32, i32)],
    pub companies: &'static [&'static str],
}

/// Topics of any language.
pub(super) const TAGS: &[&str] = &[
    "sql",
    "python",
    "rust",
    "spark",
    "kubernetes",
    "excel",
    "sales",
    "nursing",
    "driving",
    "night-shift",
    "part-time",
    "entry-level",
    "senior",
    "fintech",
    "logistics",
    "café",
    "remote-ok",
    "équipe",
    "büro",
    "日本語",
    "العربية",
    "हिन्दी",
];

pub(super) const EMPLOYMENT: &[&str] = &[
    "full_time",
    "full_time",
    "full_time",
    "part_time",
    "contract",
    "internship",
];

pub(super) const EMOJI: &[&str] = &["🚀", "✨", "☕", "💡", "🌍", "👩‍💻", "🎉", "🇪🇺"];

const ENGLISH: Language = Language {
    space: " ",
    titles: &[
        "Store Manager",
        "Line Cook",
        "Registered Nurse",
        "Backend Developer (Rust)",
        "Data Engineer",
        "Truck Driver",
        "Account Executive",
        "Warehouse Associate",
        "UX Designer",
        "Site Reliability Engineer",
        "Math Teacher",
        "Electrician",
    ],
    openers: &[
        "{company} is hiring in {city}: {title}.",
        "Join {company}, a growing team in {city}, as our next {title}.",
        "Open position: {title}, for someone who likes to own their work from start to finish.",
    ],
    duties: &[
        "You plan the week with your team and keep customers informed.",
        "You write down what you learn so that others can build on it.",
        "You keep inventory accurate & report differences the same day.",
        "You review changes, fix what breaks and measure the result.",
        "You train new colleagues and help them through their first month.",
        "You work with suppliers to keep costs low and quality high.",
    ],
    offers: &[
        "We offer health insurance, 401(k) matching and 20 days off.",
        "Flexible hours, a learning budget and good coffee.",
        "Paid overtime, a clear career path and a friendly shift plan.",
        "Relocation support is available for the right candidate.",
    ],
};

const GERMAN: Language = Language {
    space: " ",
    titles: &[
        "Softwareentwickler (m/w/d)",
        "Pflegefachkraft",
        "Bäckereiverkäufer",
        "Lagerist",
        "Steuerfachangestellte",
        "Maschinenbauingenieur",
        "Erzieherin",
        "Straßenbahnfahrer",
        "Datenanalyst",
        "Köchin",
    ],
    openers: &[
        "{company} sucht in {city} ab sofort: {title}.",
        "Verstärken Sie unser Team in {city} als {title}.",
        "Für unseren Standort {city} suchen wir eine Persönlichkeit mit Überblick.",
    ],
    duties: &[
        "Sie planen Ihre Arbeit selbständig und stimmen sich mit der Schicht ab.",
        "Sie prüfen Lieferungen, führen Bücher und melden Abweichungen.",
        "Sie beraten unsere Kundschaft freundlich & zuverlässig.",
        "Sie entwickeln Werkzeuge weiter und dokumentieren Ergebnisse.",
        "Sie leiten neue Kolleginnen und Kollegen an.",
    ],
    offers: &[
        "Wir bieten 30 Tage Urlaub, Weihnachtsgeld und ein Jobticket.",
        "Größere Freiräume, kurze Wege und ein unbefristeter Vertrag.",
        "Gleitzeit und Zuschüsse zur Kinderbetreuung.",
    ],
};

const FRENCH: Language = Language {
    space: " ",
    titles: &[
        "Infirmière",
        "Développeur Java",
        "Chef de projet",
        "Boulanger",
        "Conducteur de travaux",
        "Hôtesse d'accueil",
        "Comptable confirmé",
        "Ingénieur données",
        "Aide-soignant",
    ],
    openers: &[
        "{company} recrute à {city} : {title}.",
        "Rejoignez une équipe à taille humaine à {city}.",
        "Dans le cadre de notre développement, nous cherchons un(e) {title}.",
    ],
    duties: &[
        "Vous organisez les journées et répondez aux demandes des clients.",
        "Vous contrôlez les stocks & signalez les écarts.",
        "Vous améliorez nos outils et partagez vos résultats.",
        "Vous accompagnez les nouveaux arrivants pendant leurs premières semaines.",
    ],
    offers: &[
        "Mutuelle, titres-restaurant et RTT.",
        "Télétravail possible deux jours par semaine.",
        "Une prime d'été et un parcours de formation financé.",
    ],
};

const SPANISH: Language = Language {
    space: " ",
    titles: &[
        "Conductor de camión",
        "Médico general",
        "Desarrollador web",
        "Cocinero",
        "Asesor comercial",
        "Enfermero",
        "Técnico de mantenimiento",
        "Diseñadora gráfica",
        "Contador público",
    ],
    openers: &[
        "{company} busca {title} en {city}.",
        "¿Quieres crecer con nosotros? Únete al equipo de {city}.",
        "Importante empresa solicita {title} con experiencia.",
    ],
    duties: &[
        "Organizarás rutas y atenderás a los clientes con amabilidad.",
        "Llevarás el control del almacén y avisarás de cualquier diferencia.",
        "Participarás en la mejora continua & en la formación del equipo.",
        "Prepararás informes semanales para la dirección.",
    ],
    offers: &[
        "Ofrecemos prestaciones de ley, vales de despensa y aguinaldo.",
        "Horario flexible y crecimiento profesional.",
        "Seguro médico y capacitación pagada desde el primer día.",
    ],
};

const PORTUGUESE: Language = Language {
    space: " ",
    titles: &[
        "Analista de dados",
        "Enfermeira",
        "Motorista de ônibus",
        "Vendedor interno",
        "Programador Júnior",
        "Auxiliar de produção",
        "Cozinheiro",
        "Professora de inglês",
    ],
    openers: &[
        "A {company} contrata {title} em {city}.",
        "Venha fazer parte do nosso time em {city}!",
        "Vaga de {title} para início imediato.",
    ],
    duties: &[
        "Você organiza a rotina da equipe e atende os clientes.",
        "Você confere o estoque & registra diferenças no sistema.",
        "Você melhora processos e compartilha o que aprendeu.",
        "Você acompanha indicadores e apresenta os resultados da semana.",
    ],
    offers: &[
        "Vale-refeição, plano de saúde e participação nos lucros.",
        "Trabalho híbrido e horário flexível.",
        "Bolsa de estudos e décimo terceiro salário.",
    ],
};

const JAPANESE: Language = Language {
    space: "",
    titles: &[
        "看護師",
        "店長候補",
        "システムエンジニア",
        "調理スタッフ",
        "配送ドライバー",
        "経理事務",
        "データ分析担当",
        "介護福祉士",
    ],
    openers: &[
        "{company}では{city}で働く{title}を募集しています。",
        "{city}の新しい拠点で一緒に働きませんか。",
        "未経験でも安心して始められる{title}のお仕事です。",
    ],
    duties: &[
        "チームで一日の予定を立て、お客様に丁寧に対応します。",
        "在庫を正確に管理し、違いがあればすぐに報告します。",
        "業務の改善を提案し、結果をまとめて共有します。",
        "新しい仲間の研修を担当していただきます。",
    ],
    offers: &[
        "社会保険完備、交通費全額支給、年間休日120日。",
        "シフトは相談できます。",
        "資格取得の費用を会社が負担します。",
    ],
};

const ARABIC: Language = Language {
    space: " ",
    titles: &[
        "ممرضة",
        "مهندس برمجيات",
        "محاسب",
        "سائق شاحنة",
        "مدير متجر",
        "معلم رياضيات",
        "طاهٍ",
    ],
    openers: &[
        "تبحث شركة {company} في {city} عن {title}.",
        "انضم إلى فريقنا في {city}.",
        "فرصة عمل بدوام كامل لوظيفة {title}.",
    ],
    duties: &[
        "ستنظم العمل اليومي مع الفريق وتخدم العملاء.",
        "ستراجع المخزون وتبلغ عن أي فرق في اليوم نفسه.",
        "ستدرب الزملاء الجدد وتكتب تقارير أسبوعية.",
    ],
    offers: &[
        "نقدم تأمينًا صحيًا وإجازة سنوية مدفوعة.",
        "ساعات عمل مرنة وبيئة عمل ودودة.",
        "بدل سكن ومواصلات.",
    ],
};

const HINDI: Language = Language {
    space: " ",
    titles: &[
        "नर्स",
        "सॉफ्टवेयर इंजीनियर",
        "लेखाकार",
        "ट्रक चालक",
        "दुकान प्रबंधक",
        "गणित शिक्षक",
        "रसोइया",
    ],
    openers: &[
        "{company} को {city} में {title} की तलाश है।",
        "{city} में हमारी टीम से जुड़ें।",
        "{title} के पद के लिए तुरंत आवेदन करें।",
    ],
    duties: &[
        "आप टीम के साथ दिन की योजना बनाएंगे और ग्राहकों से बात करेंगे।",
        "आप स्टॉक का सही हिसाब रखेंगे और अंतर की सूचना देंगे।",
        "आप नए साथियों को प्रशिक्षण देंगे।",
    ],
    offers: &[
        "स्वास्थ्य बीमा और सवेतन छुट्टी।",
        "लचीला समय और सीखने के अवसर।",
        "वार्षिक बोनस और भोजन भत्ता।",
    ],
};

/// The country that holds 45% of all rows. First, because most rolls end here.
pub(super) const HOT_COUNTRY: Country = Country {
    code: "US",
    weight: 450,
    language: &ENGLISH,
    offset: -300,
    currency: "USD",
    salary: (24, 165),
    cities: &[
        ("New York", 407_128, -740_060),
        ("Austin", 302_672, -977_431),
        ("Chicago", 418_781, -876_298),
        ("San José", 373_382, -1_218_863),
        ("Tulsa", 361_540, -959_928),
    ],
    companies: &[
        "Company 0",
        "Diner 24",
        "Blue Mesa Health",
        "Oak & Ash",
        "Northwind Freight",
        "Papaya Labs",
    ],
};

/// Every other country; the weights of all add up to 1000.
pub(super) const COUNTRIES: &[Country] = &[
    Country {
        code: "DE",
        weight: 110,
        language: &GERMAN,
        offset: 60,
        currency: "EUR",
        salary: (26, 95),
        cities: &[
            ("München", 481_351, 115_820),
            ("Köln", 509_375, 69_603),
            ("Leipzig", 513_397, 123_731),
        ],
        companies: &[
            "Ferris GmbH",
            "Bäckerei Süß",
            "Klinikum Nord",
            "Müller & Söhne KG",
        ],
    },
    Country {
        code: "FR",
        weight: 90,
        language: &FRENCH,
        offset: 60,
        currency: "EUR",
        salary: (22, 80),
        cities: &[
            ("Paris", 488_566, 23_522),
            ("Orléans", 479_030, 19_093),
            ("Besançon", 472_378, 60_241),
        ],
        companies: &["Clinique du Parc", "Atelier Lumière", "Transports Lefèvre"],
    },
    Country {
        code: "GB",
        weight: 80,
        language: &ENGLISH,
        offset: 0,
        currency: "GBP",
        salary: (21, 98),
        cities: &[
            ("London", 515_074, -1_278),
            ("Leeds", 538_008, -15_491),
            ("Cardiff", 514_816, -31_791),
        ],
        companies: &["Harbour Foods", "Thistle Care", "Ledger & Co"],
    },
    Country {
        code: "MX",
        weight: 60,
        language: &SPANISH,
        offset: -360,
        currency: "MXN",
        salary: (96, 540),
        cities: &[
            ("Ciudad de México", 194_326, -991_332),
            ("Mérida", 209_674, -895_926),
            ("León", 211_250, -1_016_860),
        ],
        companies: &["Transportes Ruiz", "Grupo Peña", "Clínica San Ángel"],
    },
    Country {
        code: "JP",
        weight: 60,
        language: &JAPANESE,
        offset: 540,
        currency: "JPY",
        salary: (2800, 9800),
        cities: &[
            ("東京", 356_762, 1_396_503),
            ("大阪", 346_937, 1_355_023),
            ("札幌", 430_618, 1_413_545),
        ],
        companies: &["聖路加病院", "さくら食品", "株式会社ミライ"],
    },
    Country {
        code: "BR",
        weight: 50,
        language: &PORTUGUESE,
        offset: -180,
        currency: "BRL",
        salary: (24, 180),
        cities: &[
            ("São Paulo", -235_505, -466_333),
            ("Goiânia", -166_869, -492_648),
            ("Belém", -14_558, -484_902),
        ],
        companies: &["Padaria Pão Quente", "Hospital São João", "Viação Litoral"],
    },
    Country {
        code: "IN",
        weight: 50,
        language: &HINDI,
        offset: 330,
        currency: "INR",
        salary: (240, 2400),
        cities: &[
            ("दिल्ली", 286_139, 772_090),
            ("मुंबई", 190_760, 728_777),
            ("जयपुर", 269_124, 757_873),
        ],
        companies: &["गंगा टेक", "शांति अस्पताल", "भारत परिवहन"],
    },
    Country {
        code: "EG",
        weight: 25,
        language: &ARABIC,
        offset: 120,
        currency: "EGP",
        salary: (60, 480),
        cities: &[("القاهرة", 300_444, 312_357), ("الإسكندرية", 312_001, 299_187)],
        companies: &["النيل للتجارة", "مستشفى السلام"],
    },
    Country {
        code: "ES",
        weight: 15,
        language: &SPANISH,
        offset: 60,
        currency: "EUR",
        salary: (18, 62),
        cities: &[("A Coruña", 433_623, -84_115), ("Cádiz", 365_271, -62_886)],
        companies: &["Muñoz e Hijos", "Hotel Alcázar"],
    },
    Country {
        code: "ZA",
        weight: 10,
        language: &ENGLISH,
        offset: 120,
        currency: "ZAR",
        salary: (120, 900),
        cities: &[("Cape Town", -339_249, 184_241), ("Durban", -298_587, 310_218)],
        companies: &["Protea Mining", "Table Bay Logistics"],
    },
];

#[cfg(test)]
mod tests {
    use super::{COUNTRIES, HOT_COUNTRY};

    #[test]
    fn the_weights_add_up_to_a_thousand() {
        let others: u64 = COUNTRIES.iter().map(|country| country.weight).sum();
        assert_eq!(others + HOT_COUNTRY.weight, 1000);
    }
}
