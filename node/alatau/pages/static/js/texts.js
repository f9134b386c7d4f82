// What the pages say, in Kazakh, Russian and English. A text may name values in braces.

const LANGUAGES = ["kk", "ru", "en"];

const TEXTS = {
  wallet: ["Әмиян", "Кошелёк", "Wallet"],
  till: ["Касса", "Касса", "Till"],
  language: ["Тіл", "Язык", "Language"],
  loading: ["Жүктелуде…", "Загрузка…", "Loading…"],
  back: ["Артқа", "Назад", "Back"],
  cancel: ["Болдырмау", "Отмена", "Cancel"],
  ok: ["Жарайды", "Хорошо", "OK"],
  again: ["Қайталау", "Повторить", "Try again"],
  copy: ["Көшіру", "Скопировать", "Copy"],
  copied: ["Көшірілді", "Скопировано", "Copied"],
  more: ["Тағы", "Ещё", "More"],
  online: ["Байланыс бар", "На связи", "Connected"],
  offline: ["Байланыс жоқ", "Нет связи", "Not connected"],
  hub_away: [
    "Төлем торабы жауап бермейді. Ештеңе жоғалған жоқ.",
    "Платёжный узел не отвечает. Ничего не потеряно.",
    "The payment hub does not answer. Nothing is lost.",
  ],
  other_tab: [
    "Бұл бет басқа қойындыда ашық. Соны жабыңыз.",
    "Эта страница открыта в другой вкладке. Закройте её.",
    "This page is open in another tab. Close that one.",
  ],
  clock_wrong: [
    "Құрылғының сағаты {minutes} минутқа қате. Параметрлерден түзетіңіз.",
    "Часы устройства неверны на {minutes} мин. Исправьте их в настройках.",
    "This device's clock is wrong by {minutes} minutes. Set it in the settings.",
  ],
  insecure: [
    "Бұл бет қорғалмаған байланыспен ашылған, кілт жасай алмайды.",
    "Страница открыта без защиты, ключ здесь не создать.",
    "This page was opened without encryption and cannot make keys.",
  ],
  create_title: ["Әмиян жасау", "Создать кошелёк", "Make a wallet"],
  create_text: [
    "Ақша телефоныңыздың қорғалған кілтімен қорғалады. Кілт телефоннан шықпайды.",
    "Деньги защищены ключом в защищённой памяти телефона. Ключ из телефона не выходит.",
    "Your money is guarded by a key in your phone's secure chip. It never leaves the phone.",
  ],
  create_passkey: ["Кілт жасау", "Создать ключ", "Make a key"],
  have_passkey: ["Менде кілт бар", "У меня уже есть ключ", "I have a key already"],
  have_passkey_second: [
    "Кілтті табу үшін тағы бір рет растаңыз.",
    "Подтвердите ещё раз, чтобы найти ключ.",
    "Confirm once more, so that the key is found.",
  ],
  create_browser: ["Кілтсіз, осы браузерде", "Без ключа, в этом браузере", "Without it, in this browser"],
  create_browser_warning: [
    "Ескерту: мұнда кілт тек осы браузерде сақталады. Деректерді тазаласаңыз немесе телефон жоғалса, ақшаға қолжетімділік тіркеуші арқылы ғана қайтарылады. Аз сома ғана ұстаңыз.",
    "Внимание: ключ будет только в этом браузере. Если очистить данные или потерять телефон, вернуть доступ поможет только регистратор. Держите здесь небольшую сумму.",
    "Take care: the key will be in this browser only. If its data are cleared or the phone is lost, only the registrar can give access back. Keep small sums here.",
  ],
  create_browser_yes: ["Түсіндім, жасау", "Понятно, создать", "I understand, make it"],
  no_passkeys: [
    "Бұл браузер немесе сайт қорғалған кілттерді қолдамайды.",
    "Этот браузер или сайт не поддерживает ключи доступа.",
    "This browser or site has no passkeys.",
  ],
  register_title: ["Тіркелу", "Регистрация", "Register"],
  register_text: [
    "Бұл кодты тіркеушіге көрсетіңіз. Тіркелгеннен кейін бет өзі жалғасады.",
    "Покажите этот код регистратору. После регистрации страница продолжит сама.",
    "Show this code to the registrar. The page goes on by itself once you are registered.",
  ],
  account_code: ["Шот коды", "Код счёта", "Account code"],
  open_title: ["Әмиянға ақша салу", "Положить деньги в кошелёк", "Put money into the wallet"],
  open_text: [
    "Шотыңызда {amount} бар. Қанша бөлігін төлемге дайындайсыз?",
    "На счёте {amount}. Сколько приготовить для платежей?",
    "Your account has {amount}. How much shall be ready to pay with?",
  ],
  open_empty: [
    "Шотта ақша жоқ. Аударымды күтеміз.",
    "На счёте нет денег. Ждём поступления.",
    "There is no money on the account yet. Waiting for it.",
  ],
  amount: ["Сома", "Сумма", "Amount"],
  amount_wrong: ["Соманы тексеріңіз.", "Проверьте сумму.", "Look at the amount again."],
  allowance: ["Сұрамай төлеу шегі", "Платить без вопроса до", "Pay without asking up to"],
  allowance_text: [
    "Осы сомаға дейін телефон саусақ ізін сұрамай төлейді. Телефон ұрланса, одан көп жоғалмайды.",
    "До этой суммы телефон платит без отпечатка. Если его украдут, больше не потерять.",
    "Up to this sum the phone pays without asking for your finger. If it is stolen, no more can be lost.",
  ],
  allowance_none: ["Әрқашан сұрау", "Всегда спрашивать", "Always ask"],
  open_do: ["Ашу", "Открыть", "Open"],
  opening: ["Ашылуда…", "Открываем…", "Opening…"],
  connect_title: ["Телефонды қосу", "Подключить телефон", "Connect this phone"],
  connect_text: [
    "Ашық әмиян табылды. Осы телефоннан төлеу үшін растаңыз.",
    "Найден открытый кошелёк. Подтвердите, чтобы платить с этого телефона.",
    "An open wallet was found. Confirm to pay from this phone.",
  ],
  connect_do: ["Қосу", "Подключить", "Connect"],
  balance: ["Қолда бар", "Доступно", "Ready to pay"],
  pay: ["Төлеу", "Заплатить", "Pay"],
  scan_title: ["Кодты сканерлеу", "Сканируйте код", "Scan the code"],
  scan_text: [
    "Камераны кассадағы кодқа бағыттаңыз.",
    "Наведите камеру на код кассы.",
    "Point the camera at the till's code.",
  ],
  camera_none: ["Камера қолжетімсіз.", "Камера недоступна.", "There is no camera."],
  paste: ["Немесе сілтемені қойыңыз", "Или вставьте ссылку", "Or paste the link"],
  paste_do: ["Ашу", "Открыть", "Open"],
  confirm_title: ["Төлейсіз бе?", "Заплатить?", "Pay this?"],
  merchant: ["Сатушы", "Продавец", "Merchant"],
  merchant_account: ["Сатушының шоты", "Счёт продавца", "Merchant's account"],
  fee: ["Комиссия", "Комиссия", "Fee"],
  total: ["Барлығы", "Всего", "Total"],
  left_after: ["Төлемнен кейін", "Останется", "Left after it"],
  name: ["Атауы", "Название", "Name"],
  register_number: ["Касса нөмірі", "Номер кассы", "Register number"],
  receipt_number: ["Чек нөмірі", "Номер чека", "Receipt number"],
  fiscal_sign: ["Фискалдық белгі", "Фискальный признак", "Fiscal sign"],
  operator: ["Фискалдық оператор", "Оператор фискальных данных", "Operator of fiscal data"],
  reference: ["Белгілеу", "Назначение", "Reference"],
  pay_do: ["{amount} төлеу", "Заплатить {amount}", "Pay {amount}"],
  paying: ["Төленуде…", "Платим…", "Paying…"],
  paid_title: ["Төленді", "Оплачено", "Paid"],
  failed_title: ["Төленбеді", "Не оплачено", "Not paid"],
  unknown_title: ["Нәтиже белгісіз", "Итог пока неизвестен", "Outcome not known yet"],
  unknown_text: [
    "Төлем қол қойылған, жауап әлі келмеді. Қайта төлемеңіз: бет нәтижені өзі біледі.",
    "Платёж подписан, ответа ещё нет. Не платите снова: страница узнает итог сама.",
    "The payment is signed and not answered yet. Do not pay again: the page will learn the outcome by itself.",
  ],
  not_taken: ["Ақшаңыз орнында.", "Ваши деньги на месте.", "Nothing was taken from you."],
  too_little: ["Ақша жетпейді.", "Не хватает денег.", "There is not enough money."],
  expired: ["Шоттың мерзімі өтті.", "Срок счёта истёк.", "The invoice has expired."],
  forged: [
    "Шотқа сатушы қол қоймаған. Төлемеңіз.",
    "Счёт не подписан продавцом. Не платите.",
    "The merchant has not signed this invoice. Do not pay.",
  ],
  damaged: ["Бұл төлем коды емес.", "Это не код оплаты.", "This is no payment code."],
  hub: ["Сатушы басқа торапта.", "Продавец на другом узле.", "The merchant is paid at another hub."],
  range: ["Шот дұрыс емес.", "Счёт неверен.", "The invoice is not valid."],
  cancelled: ["Растау болмады, ештеңе төленбеді.", "Нет подтверждения, ничего не оплачено.", "Not confirmed; nothing was paid."],
  unsupported: ["Бұл құрылғыда болмады: {text}", "На этом устройстве не вышло: {text}", "This device cannot do it: {text}"],
  foreign: ["Кілт табылмады.", "Ключ не найден.", "The key was not found."],
  refused_MERCHANT_AWAY: ["Касса байланыста емес.", "Касса не на связи.", "The till is not connected."],
  refused_MERCHANT_BUSY: ["Касса бос емес, қайталаңыз.", "Касса занята, повторите.", "The till is busy; try again."],
  refused_NO_LIQUIDITY: [
    "Торап ақша дайындап жатыр, бірнеше секундтан соң қайталаңыз.",
    "Узел готовит деньги, повторите через несколько секунд.",
    "The hub is making money ready; try again in a few seconds.",
  ],
  refused_LIMIT_EXCEEDED: [
    "Шектен асты: шегі {limit}, жұмсалғаны {used}.",
    "Превышен лимит: {limit}, использовано {used}.",
    "Above your limit of {limit}; {used} is used.",
  ],
  refused_TOO_MANY_LOCKS: ["Алдыңғы төлемдер аяқталсын.", "Дождитесь прежних платежей.", "Wait for the payments before it."],
  refused_INVOICE_TAKEN: ["Бұл шот төленген.", "Этот счёт уже оплачен.", "This invoice is paid already."],
  refused_ACCOUNT_REFUSED: ["Шот тоқтатылған.", "Счёт приостановлен.", "The account is suspended."],
  refused_OTHER: ["Торап бас тартты: {text}", "Узел отказал: {text}", "The hub refused: {text}"],
  history: ["Төлемдер", "Платежи", "Payments"],
  history_empty: ["Төлем әлі жоқ.", "Платежей пока нет.", "No payments yet."],
  phase_offered: ["белгісіз", "неизвестно", "not known"],
  phase_taken: ["жолда", "в пути", "on its way"],
  phase_paid: ["төленді", "оплачено", "paid"],
  phase_cancelled: ["болмады", "не состоялся", "came to nothing"],
  phase_refused: ["бас тартылды", "отказ", "refused"],
  refunded: ["Қайтарылды", "Возвращено", "Refunded"],
  receipt_title: ["Чек", "Чек", "Receipt"],
  receipt_good: [
    "Чек тексерілді: сатушының қолы және төлем құпиясы дұрыс.",
    "Чек проверен: подпись продавца и секрет платежа верны.",
    "Receipt checked: the merchant's signature and the payment's secret are right.",
  ],
  receipt_bad: ["Чек дұрыс емес!", "Чек неверен!", "This receipt is not right!"],
  receipt_copy: ["Дәлелді көшіру", "Скопировать доказательство", "Copy the proof"],
  time: ["Уақыты", "Время", "Time"],
  status: ["Күйі", "Состояние", "State"],
  limits: ["Шектер", "Лимиты", "Limits"],
  limit_payment: ["Бір төлем", "За платёж", "A payment"],
  limit_day: ["Күніне", "В день", "A day"],
  limit_month: ["Айына", "В месяц", "A month"],
  limit_none: ["шексіз", "без лимита", "no limit"],
  limit_left: ["{limit}, бүгінге дейін қалды {left}", "{limit}, осталось {left}", "{limit}, {left} left"],
  account: ["Шот", "Счёт", "Account"],
  account_money: ["Шоттағы ақша", "Деньги на счёте", "Money on the account"],
  credit: ["Алуға болады", "К выплате", "To be paid out"],
  claim: ["Шотқа алу", "Получить на счёт", "Pay out to the account"],
  top_up: ["Әмиянды толтыру", "Пополнить кошелёк", "Put more in"],
  close_title: ["Әмиянды жабу", "Закрыть кошелёк", "Close the wallet"],
  close_text: [
    "Қалған {amount} шотыңызға қайтарылады.",
    "Остаток {amount} вернётся на ваш счёт.",
    "What is left, {amount}, goes back to your account.",
  ],
  close_do: ["Жабу", "Закрыть", "Close it"],
  closing: ["Жабылуда…", "Закрываем…", "Closing…"],
  closing_text: [
    "Арна жабылып жатыр. {time} кейін ақша шотқа шығады.",
    "Канал закрывается. После {time} деньги поступят на счёт.",
    "The channel is being closed. After {time} the money can be paid out.",
  ],
  export: ["Деректерімді жүктеу", "Скачать мои данные", "Download my data"],
  dispute: [
    "Торап қате нәрсе жіберді, қабылданбады: {text}",
    "Узел прислал неверное, не принято: {text}",
    "The hub sent something wrong, and it was not taken: {text}",
  ],
  storage_unsafe: [
    "Браузер деректерді сақтауға уәде бермеді. Бетті басты экранға қосыңыз.",
    "Браузер не обещал хранить данные. Добавьте страницу на главный экран.",
    "The browser did not promise to keep data. Add the page to the home screen.",
  ],
  till_create_title: ["Касса ашу", "Открыть кассу", "Set up a till"],
  till_create_text: [
    "Кассаның кілті осы браузерде сақталады: ол сұрамай қол қояды. Түскен ақшаны жиі шотқа шығарыңыз.",
    "Ключ кассы хранится в этом браузере: он подписывает без вопросов. Чаще выводите выручку на счёт.",
    "The till's key is kept in this browser: it signs without asking. Pay the takings out often.",
  ],
  shop_name: ["Дүкен атауы", "Название магазина", "Name of the shop"],
  till_create_do: ["Касса жасау", "Создать кассу", "Make the till"],
  charge: ["Төлем алу", "К оплате", "Charge"],
  clear: ["Тазалау", "Стереть", "Clear"],
  erase: ["Соңғысын өшіру", "Стереть цифру", "Erase the last digit"],
  charge_title: ["Төлеуге: {amount}", "К оплате: {amount}", "To pay: {amount}"],
  charge_text: [
    "Сатып алушы бұл кодты сканерлейді.",
    "Покупатель сканирует этот код.",
    "The customer scans this code.",
  ],
  charge_wait: ["Төлем күтілуде…", "Ждём оплату…", "Waiting for the payment…"],
  charge_link: ["Сілтемені көшіру", "Скопировать ссылку", "Copy the link"],
  received_title: ["Төленді: {amount}", "Оплачено: {amount}", "Paid: {amount}"],
  received_text: ["Тауарды беруге болады.", "Можно отдать товар.", "The goods may go."],
  new_charge: ["Келесі", "Следующий", "Next"],
  print: ["Басып шығару", "Печать", "Print"],
  day: ["Күн қорытындысы", "Итог дня", "Day's total"],
  day_count: ["Төлемдер саны", "Платежей", "Payments"],
  day_received: ["Түсті", "Получено", "Received"],
  day_refunded: ["Қайтарылды", "Возвращено", "Refunded"],
  day_net: ["Қорытынды", "Итого", "Net"],
  csv: ["CSV жүктеу", "Скачать CSV", "Download CSV"],
  date: ["Күні", "Дата", "Date"],
  refund: ["Қайтару", "Возврат", "Refund"],
  refund_title: ["Қанша қайтарамыз?", "Сколько вернуть?", "How much to refund?"],
  refund_left: ["Қайтаруға болады: {amount}", "Можно вернуть: {amount}", "Up to {amount}"],
  refund_do: ["Қайтару", "Вернуть", "Refund"],
  refunding: ["Қайтарылуда…", "Возвращаем…", "Refunding…"],
  refund_wait: [
    "Қайтаруға қол қойылды, торап әлі жауап бермеді. Қайта қайтармаңыз.",
    "Возврат подписан, узел ещё не ответил. Не повторяйте.",
    "The refund is signed and the hub has not answered. Do not refund again.",
  ],
  settings: ["Баптау", "Настройки", "Settings"],
  save: ["Сақтау", "Сохранить", "Save"],
  trouble: ["Қате: {text}", "Ошибка: {text}", "Something went wrong: {text}"],
};

let language = "ru";

export function chooseLanguage(wanted) {
  const wishes = [wanted, stored(), ...(navigator.languages ?? [])];
  const found = wishes.map((one) => (one ?? "").slice(0, 2)).find((one) => LANGUAGES.includes(one));
  language = found ?? "ru";
  try {
    if (wanted) localStorage.setItem("language", language);
  } catch {
    // without storage the choice holds for this visit
  }
  document.documentElement.lang = language;
}

function stored() {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

export const currentLanguage = () => language;
export const hasText = (key) => key in TEXTS;

export function t(key, values = {}) {
  const text = TEXTS[key][LANGUAGES.indexOf(language)];
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const languages = [
  ["kk", "Қазақша"],
  ["ru", "Русский"],
  ["en", "English"],
];

export const texts = TEXTS;
